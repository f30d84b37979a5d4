/*
 * Sayso browser tag: tells your consent server what this page says about its user.
 *
 *   <script async src="https://consent.example/tag.js" data-site="site_…"></script>
 *
 * It reads, whenever they are or become defined:
 *   window.insider_object.user                            replaced or changed in place
 *   InsiderQueue.push({ type: "user", value: { … } })     before or after the tag loads
 *   sayso.push({ user: { … } })                           our own queue, works the same way
 *
 * With `data-forms` it also shows the opt-in forms that name this site.
 *
 * It sends the keys listed below, and only if one of the identifiers is among them. Absent, null and
 * "" mean "nothing said". It keeps nothing in the browser and never throws into the page.
 * Add `data-debug` (or `sayso.push({ debug: true })`) to hear in the console what the server made of it.
 */
(() => {
  "use strict";

  const IDENTIFIERS = ["uuid", "email", "phone_number"];
  const KEYS = IDENTIFIERS.concat(
    ["gdpr_optin", "whatsapp_optin", "sms_optin", "email_optin"],
    ["name", "surname", "language", "custom"]
  );
  const SETTLE_MS = 50; // changes made together are sent together
  const POLL_MS = 500; // changes in place, which nothing announces, are found this soon
  const RETRY_MS = [2000, 8000, 30000]; // after "busy" answers; then the next page view tries again
  const KEEPALIVE_CHARS = 20000; // browsers refuse keepalive bodies over 64 KiB; a character is up to 3 bytes
  const WRAPS = 20; // another script that wraps the same queue on a timer must not make us race it

  const script = [
    document.currentScript, // null in a module
    document.querySelector('script[data-site][src$="/tag.js"]'),
    document.querySelector('script[data-site][src*="/tag.js?"]'),
  ].find((element) => element && element.src && element.getAttribute("data-site"));
  if (!script) return;

  const site = script.getAttribute("data-site");
  const url = new URL("/capture/tag", script.src).href;

  const outbox = []; // statements not yet sent, oldest first
  const heard = new Map(); // identifier → the content last sent about it
  const refused = new Map(); // identifier → gdpr_optin as last seen since processing was refused
  const seen = new WeakSet(); // queue entries already read
  const wrappers = new WeakSet(); // our own push functions
  const unreadable = new Set(); // keys already complained about
  let debug = script.hasAttribute("data-debug");
  let pushedHash; // user_hash given through sayso.push
  let lastObject = "null"; // insider_object.user as last read
  let inFlight = 0;
  let waiting = false; // between two tries
  let timer = 0;
  let wraps = 0;

  // A no as pages spell it; the server knows more of them, and its answer says so.
  const isNo = (value) => /^\s*(false|no?|off|f|0)\s*$/i.test(value);

  function say(level, text) {
    if (debug) console[level]("[sayso] " + text);
  }

  // Everything the browser or the page calls goes through here: our fault must never be the page's.
  function safely(work) {
    return () => {
      try {
        work();
      } catch (error) {
        say("warn", "the tag failed: " + error);
      }
    };
  }

  // --- What the page says -----------------------------------------------------------------------

  // A copy of the known keys as they are now. Wrong types stay as they are: the server names the fault.
  function copy(user) {
    const kept = {};
    if (!user || typeof user !== "object") return kept;
    for (const key of KEYS) {
      try {
        const given = user[key];
        const text = JSON.stringify(typeof given === "bigint" ? String(given) : given);
        const value = text === undefined ? null : JSON.parse(text);
        if (value !== null && value !== "") kept[key] = value;
      } catch (error) {
        if (!unreadable.has(key)) say("warn", key + ": left out, it cannot be read as JSON (" + error.message + ")");
        unreadable.add(key);
      }
    }
    return kept;
  }

  // Each statement stands on its own: the page may speak of another person the next moment.
  function take(user) {
    const kept = copy(user);
    const given = IDENTIFIERS.filter((key) => key in kept);
    if (!given.length) {
      say("info", "no uuid, email or phone_number yet: nothing is sent");
      return;
    }
    const ids = given.map((key) => key + " " + JSON.stringify(kept[key]));
    const hash = pushedHash || script.getAttribute("data-user-hash") || undefined;
    const last = outbox[outbox.length - 1];
    if (last && Object.keys(last.user).every((key) => key in kept) && last.ids.every((id) => ids.includes(id))) {
      outbox.pop(); // not sent yet and said anew
    }
    outbox.push({
      user: kept,
      ids,
      hash,
      content: JSON.stringify([kept, hash]),
      page: location.origin + location.pathname, // no query, no fragment: they may hold secrets
      tries: 0,
    });
    settleSoon();
  }

  function objectUser() {
    const object = window.insider_object;
    return object ? object.user : undefined;
  }

  function takeObject() {
    const user = objectUser();
    const text = JSON.stringify(copy(user));
    if (text === lastObject) return;
    lastObject = text;
    if (user) take(user);
  }

  const readers = {
    InsiderQueue(entry) {
      if (entry.type === "user") take(entry.value);
    },
    sayso(entry) {
      if ("debug" in entry) debug = !!entry.debug;
      if ("user_hash" in entry) pushedHash = entry.user_hash;
      if (entry.user) take(entry.user);
    },
  };

  // --- Noticing it ------------------------------------------------------------------------------

  // Assigning owner[key] reads the old value a last time, so that a choice made just before a log-out is
  // not lost, then the new one. Only plain, configurable properties that exist are touched; a timer does
  // the rest. The accessor behaves as the property did and may itself be replaced.
  function watch(owner, key) {
    const property = Object.getOwnPropertyDescriptor(owner, key);
    if (!property || !property.configurable || !property.writable) return;
    let value = property.value;
    Object.defineProperty(owner, key, {
      configurable: true,
      enumerable: property.enumerable,
      get: () => value,
      set(next) {
        safely(takeObject)();
        value = next;
        safely(survey)();
      },
    });
  }

  // Reads what a queue holds and listens to its push, which other vendors' tags may wrap or replace too:
  // we always call through, and look again when it is no longer ours.
  function attach(name) {
    const queue = window[name];
    if (!queue) return;
    const read = (entry) => {
      if (!entry || typeof entry !== "object") return;
      seen.add(entry);
      takeObject(); // what was said before comes first
      readers[name](entry);
    };
    watch(window, name);
    if (Array.isArray(queue)) queue.forEach((entry) => seen.has(entry) || read(entry));

    const push = queue.push;
    if (typeof push !== "function" || wrappers.has(push) || wraps >= WRAPS) return;
    wraps += 1;
    const wrapper = function (...entries) {
      safely(() => entries.forEach(read))();
      return push.apply(this, entries);
    };
    wrappers.add(wrapper);
    // Not enumerable, or a for…in loop over the array would find it.
    Object.defineProperty(queue, "push", { value: wrapper, configurable: true, writable: true });
  }

  function survey() {
    const object = window.insider_object;
    if (object && typeof object === "object") {
      watch(window, "insider_object");
      watch(object, "user");
    }
    if (JSON.stringify(copy(objectUser())) !== lastObject) settleSoon();
    Object.keys(readers).forEach((name) => safely(() => attach(name))());
  }

  // --- Sending it -------------------------------------------------------------------------------

  function settleSoon() {
    if (!timer) timer = setTimeout(safely(settle), SETTLE_MS);
  }

  function settle(leaving) {
    clearTimeout(timer);
    timer = 0;
    takeObject();
    drain(leaving);
  }

  // One request at a time, because the server dates what it hears by its arrival: "yes" must not overtake
  // the "no" that followed it. A page that is going away cannot wait.
  function drain(leaving) {
    while (outbox.length && (leaving || (!inFlight && !waiting))) {
      const statement = outbox.shift();
      if (isWanted(statement)) send(statement, leaving);
    }
  }

  // Once processing is refused, silence: until gdpr_optin turns true, or the page names someone else.
  function isWanted({ user, ids, content }) {
    if (ids.every((id) => refused.has(id))) {
      const turned = user.gdpr_optin === true && ids.some((id) => refused.get(id) !== true);
      ids.forEach((id) => (turned ? refused.delete(id) : refused.set(id, user.gdpr_optin)));
      if (!turned) return false;
    }
    return !ids.every((id) => heard.get(id) === content);
  }

  function send(statement, leaving) {
    const { user, ids, hash, page } = statement;
    ids.forEach((id) => heard.set(id, statement.content));
    if (isNo(user.gdpr_optin)) ids.forEach((id) => refused.set(id, false));
    inFlight += 1;
    post(JSON.stringify({ site, user, user_hash: hash, page }), leaving)
      .then((reply) => hear(statement, reply))
      .catch((error) => {
        forget(statement);
        say("warn", "not sent: " + error.message);
      })
      .then(() => {
        inFlight -= 1;
        drain();
      })
      .catch(() => {});
  }

  // text/plain makes it a "simple" request, which needs no preflight.
  async function post(body, leaving) {
    try {
      if (leaving && !("keepalive" in Request.prototype)) throw new Error("this browser drops it");
      const response = await fetch(url, {
        method: "POST",
        mode: "cors",
        credentials: "omit",
        keepalive: body.length < KEEPALIVE_CHARS,
        headers: { "content-type": "text/plain" },
        body,
      });
      return { status: response.status, answer: await response.json().catch(() => null) };
    } catch (error) {
      const sent = navigator.sendBeacon && navigator.sendBeacon(url, new Blob([body], { type: "text/plain" }));
      if (!sent) throw error;
      say("info", "sent, but the answer cannot be read: is this site's origin allowed at " + url + "?");
      return { status: 200, answer: null };
    }
  }

  function hear(statement, { status, answer }) {
    const { accepted = [], rejected = [], collect } = answer || {};
    if (status === 429 || status >= 500) {
      forget(statement);
      retry(statement);
    } else if (status !== 200 && status !== 422) {
      forget(statement);
      say("warn", "refused with status " + status + ((answer && answer.detail && ": " + answer.detail) || ""));
    } else {
      if (collect === false) {
        statement.ids.forEach((id) => refused.set(id, statement.user.gdpr_optin));
      } else if (answer && isNo(statement.user.gdpr_optin) && !accepted.includes("gdpr_optin")) {
        statement.ids.forEach((id) => refused.delete(id)); // it was not taken
      }
      report(accepted, rejected, collect);
    }
  }

  function report(accepted, rejected, collect) {
    for (const { pointer, fault, example } of rejected) {
      const field = String(pointer).replace(/^\/(user\/)?/, "");
      const good = example === undefined || example === null ? "" : ". A good value: " + example;
      say("warn", field + ": " + fault + good);
    }
    if (accepted.length) say("info", "accepted: " + accepted.join(", "));
    if (collect === false) say("info", "processing is refused: silent from here on");
  }

  // As if it had not been sent: saying it again is worth a request.
  function forget({ ids }) {
    ids.forEach((id) => {
      heard.delete(id);
      refused.delete(id);
    });
  }

  function retry(statement) {
    const delay = RETRY_MS[statement.tries];
    say("warn", "the server is busy" + (delay ? ", trying again in " + delay / 1000 + " s" : ", giving up"));
    if (!delay) return;
    statement.tries += 1;
    outbox.unshift(statement);
    waiting = true;
    setTimeout(
      safely(() => {
        waiting = false;
        drain();
      }),
      delay
    );
  }

  // --- The forms of the site --------------------------------------------------------------------

  // Once all that the page says is answered; and never on a page of somebody who refuses processing.
  let wanted = script.hasAttribute("data-forms");
  const isRefused = () => refused.size || isNo(copy(objectUser()).gdpr_optin);

  async function showForms() {
    if (!wanted || timer || inFlight || waiting || outbox.length || isRefused()) return;
    wanted = false;
    const response = await fetch(new URL("/capture/forms?site=" + site, url), { credentials: "omit" });
    if (!response.ok) throw new Error("status " + response.status);
    const { scripts } = await response.json();
    if (isRefused()) return;
    for (const path of scripts) {
      const element = document.createElement("script");
      element.src = new URL(path, url).href;
      element.nonce = script.nonce;
      document.head.append(element);
    }
  }

  // --- Start ------------------------------------------------------------------------------------

  function start() {
    const running = Symbol.for("sayso " + site);
    if (window[running]) {
      say("warn", "the tag is on this page twice; one is enough");
      return;
    }
    window[running] = true;
    window.sayso = window.sayso || [];

    const leave = safely(() => settle(true));
    addEventListener("pageshow", safely(survey));
    addEventListener("popstate", safely(survey));
    addEventListener("pagehide", leave);
    document.addEventListener("visibilitychange", () => (document.hidden ? leave : safely(survey))());
    setInterval(
      safely(() => {
        survey();
        showForms().catch((error) => say("warn", "no forms: " + error.message));
      }),
      POLL_MS
    );
    survey();
  }

  // A page the browser loads ahead of a click has not been visited yet.
  if (document.prerendering) document.addEventListener("prerenderingchange", safely(start), { once: true });
  else safely(start)();
})();
