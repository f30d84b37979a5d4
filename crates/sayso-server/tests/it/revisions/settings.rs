//! Settings that are put as a whole, or patched; the default sender.

use super::*;

async fn put(app: &TestApp, settings: &Value) -> Answer {
    app.call("PUT", "/v1/settings", settings).await
}

/// Settings of which none is as by default.
async fn decided(app: &TestApp) -> Value {
    let sender = json!({ "channel": "sms", "name": "s", "address": "12345" });
    let sender = make(app, "/v1/senders", &sender).await["id"].clone();
    let hours = json!({ "from": "21:00", "to": "08:00", "categories": ["marketing"] });
    let settings = json!({
        "region": "US", "require_opt_in": false, "notice_required": true, "audit_look_ups": true,
        "defaults": { "email": "opted_in_acknowledged", "sms": "opted_in" },
        "acknowledgement": "people who said nothing will get marketing",
        "least_levels": { "whatsapp": "confirmed" }, "inferred_refusals_per_day": 7,
        "quiet_hours": { "sms": hours, "email": hours }, "country_packs": ["us"],
        "frequency_caps": [{ "category": "marketing", "messages": 3, "hours": 24 }],
        "policies": {
            "whatsapp": { "policy": "meta-2020-strict" },
            "sms": { "policy": "custom", "ways": ["form"], "must_show": ["business"] },
        },
        "default_senders": { "sms": sender },
    });
    let made = put(app, &settings).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    settings
}

#[tokio::test]
async fn a_put_that_leaves_a_setting_out_resets_none_and_says_which() {
    let app = TestApp::start().await;
    let all = decided(&app).await;
    let before = app.get("/v1/settings").await;
    for name in all.as_object().unwrap().keys().filter(|name| *name != "acknowledgement") {
        let mut sent = before.json();
        sent.as_object_mut().unwrap().remove(name);
        let problem = put(&app, &sent).await.is_problem("missing-field");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{name}: {problem}");
        assert_eq!(errors[0]["pointer"], format!("/{name}"));
        assert!(errors[0]["fault"].as_str().unwrap().contains("PATCH"), "{problem}");
        assert!(errors[0]["example"].is_string(), "{problem}");
    }
    let problem = put(&app, &json!({ "region": "DE" })).await.is_problem("missing-field");
    assert_eq!(problem["errors"].as_array().unwrap().len(), all.as_object().unwrap().len() - 2);
    assert_eq!(app.get("/v1/settings").await.json(), before.json());
}

#[tokio::test]
async fn a_put_that_leaves_a_channel_out_of_a_setting_says_which() {
    let app = TestApp::start().await;
    decided(&app).await;
    let before = app.get("/v1/settings").await.json();
    for (name, channel) in [
        ("defaults", "sms"),
        ("least_levels", "whatsapp"),
        ("quiet_hours", "email"),
        ("policies", "sms"),
        ("default_senders", "sms"),
    ] {
        let mut sent = before.clone();
        sent[name].as_object_mut().unwrap().remove(channel);
        let problem = put(&app, &sent).await.is_problem("missing-field");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{name}/{channel}"), "{problem}");
        sent[name][channel] = Value::Null;
        let said = put(&app, &sent).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.text);
        assert_ne!(said.json()[name], before[name], "{name}");
        let back = json!({ name: { channel: before[name][channel] } });
        let back = app.call("PATCH", "/v1/settings", &back).await;
        assert_eq!((back.status, back.json()), (StatusCode::OK, before.clone()), "{name}");
    }
}

#[tokio::test]
async fn a_fresh_workspace_takes_the_settings_that_are_said() {
    let app = TestApp::start().await;
    assert_eq!(put(&app, &json!({ "region": "DE" })).await.status, StatusCode::OK);
    assert_eq!(put(&app, &json!({ "region": null })).await.status, StatusCode::OK);
    let on = json!({ "audit_look_ups": true });
    assert_eq!(put(&app, &on).await.status, StatusCode::OK);
    put(&app, &json!({ "region": "DE" })).await.is_problem("missing-field");
    let off = json!({ "region": "DE", "audit_look_ups": null });
    assert_eq!(put(&app, &off).await.json()["audit_look_ups"], false);
}

#[tokio::test]
async fn changing_the_region_leaves_the_audit_of_look_ups_on() {
    let app = TestApp::start().await;
    decided(&app).await;
    let before = app.get("/v1/settings").await.json();
    let after = app.call("PATCH", "/v1/settings", &json!({ "region": "DE" })).await.json();
    assert_eq!(after["audit_look_ups"], true);
    let mut wanted = before;
    wanted["region"] = json!("DE");
    assert_eq!(after, wanted);
    // Within a setting too: what is not named stays.
    let patch = json!({
        "quiet_hours": { "sms": { "to": "09:00" }, "email": null },
        "policies": { "whatsapp": { "policy": "meta-2024-11" }, "sms": { "must_show": [] } },
        "defaults": { "sms": null }, "least_levels": null,
    });
    let after = app.call("PATCH", "/v1/settings", &patch).await;
    assert_eq!(after.status, StatusCode::OK, "{}", after.text);
    let after = after.json();
    assert_eq!(after["quiet_hours"]["sms"]["from"], "21:00");
    assert_eq!(after["quiet_hours"]["sms"]["to"], "09:00");
    assert_eq!(after["quiet_hours"].get("email"), None);
    assert_eq!(after["policies"]["sms"]["ways"], json!(["form"]));
    assert_eq!(after["policies"]["sms"]["must_show"], json!([]));
    assert_eq!(after["policies"]["whatsapp"]["policy"], "meta-2024-11");
    assert_eq!(after["defaults"]["sms"], "opted_out");
    assert_eq!(after["defaults"]["email"], "opted_in_acknowledged");
}

#[tokio::test]
async fn what_follows_from_a_policy_is_not_made_a_setting_by_putting_it_back() {
    let app = TestApp::start().await;
    let confirmed = json!({ "policy": "custom", "ways": ["form"], "least_level": "confirmed" });
    let strict = json!({ "policies": { "sms": confirmed } });
    assert_eq!(put(&app, &strict).await.json()["least_levels"]["sms"], "confirmed");
    let shown = app.get("/v1/settings").await.json();
    assert_eq!(put(&app, &shown).await.status, StatusCode::OK);
    let milder = json!({ "policies": { "sms": { "least_level": "single" } } });
    let after = app.call("PATCH", "/v1/settings", &milder).await;
    assert_eq!(after.json()["least_levels"]["sms"], "single", "{}", after.text);
}

#[tokio::test]
async fn a_second_sender_stops_no_check_where_the_settings_name_a_default() {
    let app = TestApp::start().await;
    let sender = async |address: &str| {
        let sender = json!({ "channel": "sms", "name": "s", "address": address });
        make(&app, "/v1/senders", &sender).await["id"].as_str().unwrap().to_owned()
    };
    let first = sender("12345").await;
    let phone = "+14155550123";
    let no = json!({ "phone": phone, "channel": "sms", "scope": format!("sender:{first}"), "statement": "opt_out", "standing": "report" });
    let yes = json!({ "phone": phone, "channel": "sms", "statement": "opt_in", "standing": "report", "occurred_at": "2026-11-20T10:00:00Z" });
    for said in [yes, no] {
        assert_eq!(app.post("/v1/consents", &said).await.status, StatusCode::CREATED);
    }
    let ask = json!({ "channel": "sms", "phone": phone });
    let (decision, batch) = (
        async || app.post("/v1/check", &ask).await,
        async || app.post("/v1/check/batch", &json!({ "channel": "sms", "to": [phone] })).await,
    );
    assert_eq!(decision().await.json()["reason"], "opted_out", "the only sender");
    let second = sender("54321").await;
    let problem = decision().await.is_problem("sender-required");
    let fault = problem["errors"][0]["fault"].as_str().unwrap();
    assert!(fault.contains("default_senders"), "{problem}");
    batch().await.is_problem("sender-required");
    let default = |sender: &str| json!({ "default_senders": { "sms": sender } });
    app.call("PATCH", "/v1/settings", &default(&second)).await;
    assert_eq!(decision().await.json()["decision"], "allow", "the default sender");
    assert!(batch().await.text.contains("\"allow\""));
    app.call("PATCH", "/v1/settings", &default(&first)).await;
    assert_eq!(decision().await.json()["reason"], "opted_out");
    app.delete(&format!("/v1/senders/{first}")).await;
    assert_eq!(decision().await.json()["decision"], "allow", "the only one that lives");
    for (channel, sender) in [("sms", &first), ("whatsapp", &second), ("fax", &second)] {
        let wrong = json!({ "default_senders": { channel: sender } });
        let refused = app.call("PATCH", "/v1/settings", &wrong).await.json();
        if (channel, sender) == ("sms", &first) {
            // It was named while it lived.
            assert_eq!(refused["default_senders"]["sms"], first);
        } else {
            let at = format!("/default_senders/{channel}");
            assert_eq!(refused["errors"][0]["pointer"], at, "{refused}");
        }
    }
}
