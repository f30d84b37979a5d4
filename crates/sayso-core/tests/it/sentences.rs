//! Sentences are read by what their words do: who stops what, to whom, and what turns that round.

use sayso_core::limits;
use sayso_core::text::wording::{
    Because, Codes, Conversation, Edited, Heard, Names, Offered, Question, Reading, edited,
    languages, read, words,
};
use sayso_core::words::channel::Channel;

use crate::support::corpus::{Part, Sort, texts};

const STOP: Reading = Reading::Stop { topic: None };

fn heard_by(text: &str, channel: Channel, offered: &Offered) -> Heard {
    let (names, codes) = (Names::default(), Codes::default());
    let question = Question::None;
    read(text, &Conversation { channel, names: &names, codes: &codes, question, offered })
}

fn heard(text: &str) -> Heard {
    heard_by(text, Channel::Sms, &Offered::default())
}

fn all_are(reading: Reading, texts: &[&str]) {
    for text in texts {
        assert_eq!(heard(text).reading, reading, "{text}: {}", heard(text).because);
    }
}

/// Texts that refuse nothing; to be in doubt would be no refusal either.
fn none_refuses(texts: &[&str]) {
    for text in texts {
        assert!(!heard(text).reading.is_refusal(), "{text}: {}", heard(text).because);
    }
}

#[test]
fn passive_noun_and_dialect_forms_refuse() {
    all_are(
        STOP,
        &[
            "I asked to be removed last week",
            "take it off your list",
            "Bitte von der Liste streichen",
            "quiero dejar de recibir estos mensajes",
            "msg mat karo",
            "I want to be taken off this list",
            "Austragung aus dem Verteiler bitte",
            "ya no me manden nada",
        ],
    );
}

#[test]
fn an_exclamation_mark_ends_a_sentence_as_a_dot_does() {
    all_are(
        STOP,
        &[
            "Stop! You are driving me mad",
            "STOP!! I moved to Ohio in May",
            "Arrêt! Je suis au travail",
            "Lo siento, no soy yo! BAJA!",
        ],
    );
}

#[test]
fn courtesy_of_any_language_is_courtesy_beside_a_word_of_any_other() {
    all_are(
        STOP,
        &[
            "STOP kérem",
            "please baja",
            "stop cảm ơn",
            "СТОП please",
            "RET danke",
            "退订 thanks",
            "stop 부탁드립니다",
        ],
    );
}

#[test]
fn a_typing_error_in_a_long_word_is_mended() {
    all_are(
        STOP,
        &[
            "unsubcribe",
            "unsuscribe me plz",
            "please unsubscirbe",
            "désabonnr",
            "abmeldn bitte",
            "descadastar",
        ],
    );
    none_refuses(&["is the massage cancelled?", "cancer awareness", "the shop", "chancel"]);
}

#[test]
fn another_channel_is_no_refusal_of_this_one() {
    all_are(
        Reading::Nothing,
        &[
            "don't call me, text me",
            "Quit calling my desk, texts are fine",
            "no me llamen, mejor escriban",
            "niet meer bellen, appen mag wel",
            "Keine Anrufe mehr, SMS reicht",
        ],
    );
    let offered = Offered::default();
    let by_voice = heard_by("don't call me", Channel::Voice, &offered);
    assert!(by_voice.reading.is_refusal(), "{}", by_voice.because);
}

#[test]
fn another_object_is_no_refusal() {
    none_refuses(&[
        "cancel my order",
        "quero cancelar meu pedido",
        "no me manden más cobros duplicados",
        "please stop charging my card",
        "siparişimi iptal edin",
        "Termin bitte streichen",
    ]);
}

#[test]
fn a_complaint_that_nothing_comes_is_no_refusal() {
    none_refuses(&[
        "why did you stop sending?",
        "ich bekomme keine Nachrichten mehr",
        "ya no me llegan los mensajes",
        "я больше не получаю ваши сообщения",
        "通知が来なくなりました",
    ]);
}

#[test]
fn a_double_negative_goes_on_and_forgetting_to_stop_is_a_stop() {
    none_refuses(&[
        "no dejen de enviarme",
        "please don't stop",
        "nicht abmelden bitte",
        "Nie wypisujcie mnie!",
        "ne me désabonnez pas",
    ]);
    all_are(STOP, &["Don't forget to take me off", "How come you people won't stop?"]);
}

#[test]
fn quotations_and_what_is_only_supposed_refuse_nothing() {
    none_refuses(&[
        "it says \"reply STOP to unsubscribe from this list\"",
        "what happens if I unsubscribe?",
        "One more of these and I'm unsubscribing",
    ]);
}

#[test]
fn what_is_negative_and_unclear_is_held() {
    all_are(
        Reading::Unclear,
        &[
            "why do you keep texting me",
            "wrong number",
            "no more promos, but yes to pickup notices",
        ],
    );
}

#[test]
fn a_reaction_of_a_phone_is_nothing_in_any_language() {
    for text in [
        "Liked “Sale ends tonight. Reply STOP to opt out”",
        "Le gustó “Promo hoy. Responda STOP”",
        "A réagi 😂 à « Soldes ! STOP au 36063 »",
        "Понравилось «Скидки. СТОП — отписка»",
        "Gefällt nicht: „Neue Angebote. Abmelden mit STOP“",
        "「停止はSTOPと返信」にいいねしました",
        "\u{200a}\u{200b}👎\u{200b} to “\u{200a}Reply STOP to end\u{200a}”\u{200a}",
        "👎 to “Reply STOP to end”",
        "Removed a like from “Reply STOP to opt out”",
        "Ha messo “Mi piace” a “Rispondi STOP per uscire”",
    ] {
        assert_eq!(
            (heard(text).reading, heard(text).because),
            (Reading::Nothing, Because::Reaction),
            "{text}"
        );
    }
    assert_ne!(heard("Не подходит «мне ваша рассылка больше не нужна»").because, Because::Reaction);
}

#[test]
fn a_word_that_our_own_message_offered_always_acts() {
    let offered = Offered::of([
        "Sale today! Reply 9 to opt out.",
        "להסרה שלח לא",
        "Answer YES to confirm. Text ADIEU to unsubscribe.",
    ]);
    let by = |text: &str| heard_by(text, Channel::Sms, &offered);
    for text in ["9", "9 please", "לא", "adieu", "Adieu!"] {
        assert_eq!((by(text).reading, by(text).because), (STOP, Because::Offered), "{text}");
    }
    assert!(!by("yes").reading.is_refusal());
    assert!(!by("at 9 then").reading.is_refusal());
}

#[test]
fn a_language_that_we_have_no_words_for_is_held_as_not_understood() {
    for text in [
        "გთხოვთ აღარ გამომიგზავნოთ შეტყობინებები",
        "Խնդրում եմ այլևս մի ուղարկեք հաղորդագրություններ",
    ] {
        assert_eq!(
            (heard(text).reading, heard(text).because),
            (Reading::Unclear, Because::NotUnderstood),
            "{text}"
        );
    }
}

#[test]
fn a_refusal_that_is_read_in_a_sentence_is_told_from_a_keyword() {
    assert!(heard("please stop texting me").is_from_a_sentence());
    for text in ["STOP", "stop please", "You again. Stop. Goodness me", "cancel my order"] {
        assert!(!heard(text).is_from_a_sentence(), "{text}");
    }
}

#[test]
fn an_edited_prefill_that_may_deny_is_in_doubt() {
    let ready = "Hello, I saw your poster";
    assert_eq!(edited("Hello, I saw your poster!", ready), Edited::Same);
    assert_eq!(edited("Hello, I saw your poster, see you on Friday", ready), Edited::Otherwise);
    for text in [
        "Hello, I saw your poster, but no newsletter please",
        "No offers. Only chat.",
        "Hallo, ich habe das Plakat gesehen, aber keine Werbung",
        "Hola, vi su cartel pero no quiero publicidad",
    ] {
        assert_eq!(edited(text, ready), Edited::Doubtful, "{text}");
    }
    assert_eq!(edited("No more waiting! I saw it", "No more waiting! I saw it"), Edited::Same);
}

#[test]
fn the_corpus_of_sentences_is_read_within_its_goal_and_so_is_the_part_set_aside() {
    for part in [Part::Tuned, Part::Aside] {
        let (mut refusals, mut lost, mut others, mut refused) =
            (0_usize, 0_usize, 0_usize, 0_usize);
        for text in texts().filter(|text| text.part() == part) {
            let reading = text.heard().reading;
            let changes_nothing = !reading.is_refusal() && reading != Reading::Unclear;
            match text.sort {
                Sort::Refusal => {
                    refusals += 1;
                    lost += usize::from(changes_nothing);
                }
                Sort::Other => {
                    others += 1;
                    refused += usize::from(reading.is_refusal());
                }
                Sort::Unclear => {}
            }
        }
        assert!(refusals > 150 && others > 100, "{part:?}: {refusals}, {others}");
        assert!(
            lost * 50 <= refusals,
            "{part:?}: {lost} of {refusals} clear refusals change nothing"
        );
        assert!(refused * 50 <= others, "{part:?}: {refused} of {others} others refuse");
    }
}

#[test]
fn keywords_come_in_thirty_five_languages_and_sentences_in_twenty() {
    let with_stops = |tag: &str| {
        words().any(|word| word.language == tag && word.kind.as_str().starts_with("stop"))
    };
    assert!(languages().filter(|(tag, _)| with_stops(tag)).count() >= 35);
    let read: std::collections::BTreeSet<_> = texts()
        .filter(|text| text.sort == Sort::Refusal && text.heard().is_from_a_sentence())
        .map(|text| text.language)
        .collect();
    assert!(read.len() >= 20, "{read:?}");
}

#[test]
fn a_form_that_we_lack_of_a_word_that_we_have_leaves_a_text_in_doubt() {
    let texts = [
        "vorrei che non mi scrivessero",
        "ya párenme con sus promociones",
        "ich wünsche keinerlei Zusendungen",
        "пожалуйста удалили бы меня",
    ];
    for text in texts {
        assert_ne!(heard(text).reading, Reading::Nothing, "{text}: {}", heard(text).because);
    }
    all_are(
        Reading::Nothing,
        &["the parents are here", "mensch, tolle Sache", "stoppage time was great"],
    );
}

#[test]
fn a_dialect_that_takes_somebody_off_a_list_is_at_least_in_doubt() {
    for text in [
        "macht mich von der liste runter",
        "ik wil van jullie lijst af",
        "Would you mind taking me off the mailing list? Cheers",
        "msg pannadheenga",
    ] {
        assert_ne!(heard(text).reading, Reading::Nothing, "{text}: {}", heard(text).because);
    }
    all_are(
        Reading::Nothing,
        &["am I on the guest list?", "start offers", "offers hats", "text received"],
    );
}

#[test]
fn a_negation_over_a_verb_that_we_lack_refuses_nothing_for_sure() {
    none_refuses(&[
        "не переставайте присылать скидки",
        "please don't hesitate to text me",
        "no duden en escribirme",
        "nicht zögern zu schreiben",
    ]);
}

#[test]
fn a_polite_no_is_a_no_and_no_stop_word() {
    none_refuses(&["不用了谢谢", "結構です、ありがとうございます", "いいえ結構です", "不用谢谢"]);
}

#[test]
fn another_channel_is_asked_for_in_languages_that_need_no_but() {
    all_are(
        Reading::Nothing,
        &[
            "אל תתקשרו תשלחו הודעה",
            "전화하지 말고 문자로 주세요",
            "لا تتصلوا ارسلوا رسالة",
            "aramayın mesaj atın",
            "please quit calling my wife, text me instead",
        ],
    );
}

#[test]
fn what_has_not_come_yet_is_wanted() {
    none_refuses(&[
        "ik heb nog geen bericht gehad",
        "ich habe noch keine Nachricht bekommen",
        "todavía no hay mensajes",
        "ainda não veio mensagem",
        "bakit wala na kayong text",
    ]);
}

#[test]
fn a_verb_with_its_negation_inside_goes_on() {
    none_refuses(&[
        "beni listeden çıkarmayın",
        "목록에서 빼지 말아 주세요",
        "đừng xóa tôi khỏi danh sách",
        "mesajları kesmeyin",
        "문자 중단하지 말아 주세요",
    ]);
}

#[test]
fn languages_of_other_scripts_are_read_in_latin_letters() {
    for text in [
        "otpishite menya",
        "ne pishite mne bolshe pozhaluista",
        "stamatiste na mou stelnete minimata",
        "min mou stelnete alla minimata",
        "dige payam nadid",
        "la tersel rasayel",
        "matb3atolish rasayel tany",
        "tafsiku lishloach li hodaot",
        "amake ar sms diben na",
    ] {
        assert_ne!(heard(text).reading, Reading::Nothing, "{text}: {}", heard(text).because);
    }
    all_are(Reading::Nothing, &["kogda privezut zakaz", "pote anoigete simera"]);
}

#[test]
fn a_reason_before_a_stop_does_not_deny_it() {
    all_are(
        STOP,
        &[
            "i no longer live there so quit sending me store alerts",
            "I don't drive anymore so stop texting me",
            "not my store so stop the messages",
        ],
    );
}

#[test]
fn an_act_that_stops_something_and_nobody_says_what_is_in_doubt() {
    all_are(
        Reading::Unclear,
        &["turn these off", "Ich bin raus, bitte löschen", "cancel them please"],
    );
}

#[test]
fn a_question_when_an_offer_ends_ends_nothing() {
    all_are(
        Reading::Nothing,
        &[
            "La promo se termine quand?",
            "Når avsluttes kampanjen?",
            "promo berakhir kapan?",
            "促销什么时候结束？",
            "kiedy koniec promocji?",
        ],
    );
    all_are(STOP, &["when will you stop texting me?", "cancel my promos when my plan is over"]);
    all_are(Reading::Unclear, &["when do these messages end?", "Kiedy koniec tych reklam?!"]);
}

#[test]
fn a_plea_to_go_on_is_none_to_stop_in_scripts_without_spaces() {
    none_refuses(&[
        "配信を止めないでください",
        "配信を停止しないでください",
        "ストップしないでください",
        "退会しません",
        "请不要停止发送",
        "唔好停呀，啲優惠好正",
    ]);
}

#[test]
fn a_language_of_which_no_native_speaker_is_sure_only_holds() {
    all_are(Reading::Unclear, &["唔好再send訊息俾我", "唔使再發promo嚟喇"]);
}

#[test]
fn a_message_is_enough_where_calls_are_refused() {
    all_are(
        Reading::Nothing,
        &[
            "älkää soittako, viesti riittää",
            "non chiamate, basta un messaggio",
            "no llamen, un mensaje basta",
            "ne hívjanak, elég egy üzenet",
        ],
    );
    none_refuses(&["تماس نگیرید، پیام کافیه", "не звоните, хватит одного сообщения"]);
    all_are(STOP, &["no llamen. Basta de mensajes"]);
}

#[test]
fn what_shall_not_be_forgotten_is_wanted() {
    none_refuses(&[
        "don't forget to text me",
        "vergesst nicht mir zu schreiben",
        "no olviden enviarme las ofertas",
        "n'oubliez pas de m'envoyer un sms",
        "ne felejtsenek el üzenetet küldeni",
        "mesaj atmayı unutmayın",
        "อย่าลืมส่งข้อความมานะ",
    ]);
    all_are(
        STOP,
        &[
            "don't forget, no more texts",
            "oubliez-moi, ne m'écrivez plus",
            "forget it, don't text me again",
        ],
    );
}

#[test]
fn a_lack_of_interest_denies_no_stop_after_it() {
    all_are(
        STOP,
        &[
            "not interested stop messaging",
            "not interested stop texting",
            "no me interesa dejen de mandarme mensajes",
            "ga tertarik stop kirim pesan",
            "不感兴趣别再发了",
        ],
    );
    none_refuses(&["not interested in unsubscribing"]);
    assert_eq!(heard("not buying stop texting").reading, Reading::Unclear);
}

#[test]
fn dialects_and_latin_letters_refuse() {
    all_are(
        STOP,
        &[
            "bitte kei Nachrichte meh schicke",
            "höred uf schriibe",
            "bitte koa Nochricht mehr schickn",
            "ما تبقاوش تصيفطو ليا الميساجات",
            "ماتصيفطوش ليا ميساجات",
            "ma tsifto lia walo",
            "mi mou stelnete alla minimata",
            "mh mou stelnete alla sms",
            "wacha kunitumia msg bana",
            "wag nyo na po akong i-text",
        ],
    );
    all_are(
        Reading::Nothing,
        &[
            "i ha kei ziit hüt",
            "واش كاينة ليفريزون",
            "mi anisixeite",
            "唔該我想訂位",
            "mko wazi saa ngapi bana",
        ],
    );
}

#[test]
fn nothing_more_and_letting_it_be_refuse() {
    all_are(
        STOP,
        &[
            "skicka inget mer till mig",
            "send ingenting mer til meg",
            "I må gerne lade være med at sende mig flere sms'er",
            "ni får gärna låta bli att skicka fler sms",
            "favor nao entrar mais em contato",
            "peruuta viestien tilaus, en halua näitä",
        ],
    );
    none_refuses(&[
        "skicka inget paket idag",
        "jag kan inte låta bli att köpa mer",
        "peruuta tilaus 1234",
    ]);
}

#[test]
fn a_phone_or_a_mailbox_that_answers_by_itself_refuses_nothing() {
    all_are(
        Reading::Nothing,
        &[
            "Do Not Disturb While Driving",
            "Ne pas déranger en voiture",
            "運転中の通知を停止",
            "Ihre E-Mail wird nicht weitergeleitet",
            "Uw e-mail wordt niet doorgestuurd",
        ],
    );
    all_are(STOP, &["do not disturb", "I am driving, stop texting me"]);
}

#[test]
fn who_signs_up_refuses_nothing_and_who_never_did_is_in_doubt() {
    all_are(
        Reading::Nothing,
        &["Quiero apuntarme a la lista", "bültene kayıt olmak istiyorum", "добавьте меня в список"],
    );
    all_are(Reading::Unclear, &["I did not join this list", "add me to your dnc list"]);
}

#[test]
fn a_question_is_one_although_the_phrase_in_it_is_parted() {
    none_refuses(&["gibt es keine Angebote mehr?", "habt ihr keine neuen Infos mehr?"]);
    all_are(STOP, &["bitte keine Angebote mehr", "Keine weiteren SMS bitte"]);
}

#[test]
fn hostile_texts_are_read_in_time_in_proportion() {
    for part in ["stop no more ", "not ", "a, ", "melde ", "ne ", "de no ", "别", "हम "] {
        let text = part.repeat(4_096 / part.len());
        let _ = heard(&text);
    }
}

/// Were each line compared with all above it, this would outlast every test.
#[test]
fn lines_without_words_are_read_in_time_in_proportion() {
    for part in ["\n", "\"\n", "> \n", "- \n"] {
        let text = part.repeat(limits::READ_BYTES_MAX / part.len());
        for _ in 0..100 {
            let _ = heard(&text);
        }
    }
}
