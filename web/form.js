/*
 * Shows a Sayso opt-in form in a page.
 *
 *   <script async src="https://consent.example/form.js?form=frm_…&as=popup&trigger=time:5"></script>
 *
 * `as` is inline (where the script stands, or in `into=#selector`), popup, slide-in or bar; `trigger` is
 * time:5, scroll:50, exit or click:#selector; `lang` is the language. Without `form` it only makes the
 * frames that were pasted as high as their forms.
 *
 * The form itself is a frame of the consent server. This script keeps nothing in the browser, sends
 * nothing, reads nothing of the page but its address, and never throws into it. What happens is told to
 * the page as events of the document: sayso:shown, sayso:closed, sayso:done.
 */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || !script.src) return;
  const server = new URL(script.src).origin;
  const wishes = new URL(script.src).searchParams;

  function tell(name, form) {
    document.dispatchEvent(new CustomEvent("sayso:" + name, { detail: { form } }));
  }

  // --- What forms say ------------------------------------------------------------------------------
  // Only a frame of the consent server is heard, and only about itself.
  function frameOf(source) {
    for (const frame of document.querySelectorAll("iframe"))
      if (frame.contentWindow === source && frame.src.startsWith(server + "/f/")) return frame;
    return null;
  }

  if (!window.saysoForms) {
    window.saysoForms = {};
    window.addEventListener("message", (event) => {
      const said = event.data;
      if (event.origin !== server || !said || typeof said !== "object") return;
      const frame = frameOf(event.source);
      if (!frame) return;
      const close = window.saysoForms[frame.name];
      if (said.sayso === "height" && said.height > 0 && said.height < 20000) {
        frame.style.height = said.height + "px";
      } else if (said.sayso === "close" && close) {
        close();
      } else if (said.sayso === "done") {
        tell("done", frame.name);
        lead(said.redirect);
      }
    });
  }

  // Where the form leads on, this page goes: within its own origin alone.
  function lead(redirect) {
    try {
      const url = new URL(redirect);
      if (redirect && url.origin === location.origin) location.assign(url.href);
    } catch {} // It says no address: the form shows its own confirmation.
  }

  // --- The frame -----------------------------------------------------------------------------------
  const form = wishes.get("form");
  if (!form || !/^frm_[0-9a-z]{26}$/.test(form)) return;
  const shape = wishes.get("as") || "inline";
  const name = "sayso-" + form + "-" + shape;

  function makeFrame() {
    const url = new URL("/f/" + form, server);
    url.searchParams.set("embed", "1");
    if (wishes.get("lang")) url.searchParams.set("lang", wishes.get("lang"));
    url.searchParams.set("page", location.origin + location.pathname);
    const frame = document.createElement("iframe");
    frame.name = name;
    frame.title = wishes.get("title") || document.title || "Form";
    frame.setAttribute("sandbox", "allow-forms allow-scripts allow-same-origin allow-top-navigation-by-user-activation");
    frame.src = url.href;
    Object.assign(frame.style, { display: "block", width: "100%", height: "480px", border: "0", colorScheme: "normal" });
    return frame;
  }

  function inline() {
    const into = wishes.get("into");
    const place = into ? document.querySelector(into) : null;
    if (place) place.append(makeFrame());
    else script.after(makeFrame());
    tell("shown", form);
  }

  // --- Above the page ------------------------------------------------------------------------------
  // The cross stands above the form, not on it: forms run from right to left as well, and may be dark.
  const LOOKS = {
    popup: { width: "min(33rem, calc(100vw - 1rem))", margin: "auto" },
    "slide-in": { width: "min(25rem, calc(100vw - 1rem))", inset: "auto 0.5rem 0.5rem auto", margin: "0" },
    bar: { width: "min(61rem, 100vw)", maxWidth: "100vw", inset: "auto 0 0 0", margin: "0 auto", paddingBottom: "0" },
  };
  const SHADOW = "0 0.125rem 0.5rem rgba(0, 0, 0, 0.35)";

  function closeButton(close) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", wishes.get("close") || "Close");
    button.textContent = "×";
    Object.assign(button.style, {
      display: "block", margin: "0 0 0.5rem", marginInlineStart: "auto", padding: "0", width: "2.5rem", height: "2.5rem",
      border: "0", borderRadius: "50%", background: "#ffffff", color: "#1c2321", cursor: "pointer",
      font: "1.5rem/1 system-ui, sans-serif", boxShadow: SHADOW,
    });
    button.addEventListener("click", close);
    return button;
  }

  let shown = false;
  function show() {
    if (shown) return;
    shown = true;
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-label", wishes.get("title") || document.title || "Form");
    Object.assign(dialog.style, {
      position: "fixed", padding: "0.5rem", border: "0", background: "transparent", overflow: "auto",
      maxHeight: "100dvh", boxSizing: "border-box", zIndex: "2147483647",
    }, LOOKS[shape]);
    const frame = makeFrame();
    Object.assign(frame.style, { borderRadius: shape === "bar" ? "0.75rem 0.75rem 0 0" : "0.75rem", boxShadow: SHADOW });
    const before = document.activeElement;
    const close = () => {
      delete window.saysoForms[name];
      dialog.close();
      dialog.remove();
      shown = false;
      if (before && before.isConnected && before.focus) before.focus();
      tell("closed", form);
    };
    window.saysoForms[name] = close;
    dialog.append(closeButton(close), frame);
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.preventDefault(); close(); }
    });
    document.body.append(dialog);
    // A popup holds the focus until it is closed; the others leave the page to its reader.
    if (shape === "popup") dialog.showModal();
    else {
      dialog.show();
      document.activeElement.blur();
      if (before && before !== document.body && before.focus) before.focus();
    }
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!still && dialog.animate)
      dialog.animate([{ opacity: 0, translate: "0 1rem" }, { opacity: 1, translate: "0 0" }], { duration: 180, easing: "ease-out" });
    tell("shown", form);
  }

  // --- When it appears -----------------------------------------------------------------------------
  // Each but the click shows it once: who closed it is left alone on this page.
  function arm() {
    const [kind, ...rest] = (wishes.get("trigger") || "time:5").split(":");
    const value = rest.join(":");
    if (kind === "time") {
      setTimeout(show, Math.max(0, Number(value) || 0) * 1000);
    } else if (kind === "scroll") {
      const look = () => {
        const page = document.documentElement;
        const way = page.scrollHeight - page.clientHeight;
        if (way > 0 && (page.scrollTop / way) * 100 < Number(value)) return;
        removeEventListener("scroll", look);
        show();
      };
      addEventListener("scroll", look, { passive: true });
      look();
    } else if (kind === "exit") {
      const leave = (event) => {
        if (event.clientY > 0 || event.relatedTarget) return;
        document.removeEventListener("mouseout", leave);
        show();
      };
      document.addEventListener("mouseout", leave);
    } else if (kind === "click") {
      document.addEventListener("click", (event) => {
        if (!event.target.closest || !event.target.closest(value)) return;
        event.preventDefault();
        show();
      });
    }
  }

  function begin() {
    try {
      if (shape === "inline") inline();
      else if (LOOKS[shape]) arm();
    } catch (error) {
      console.warn("[sayso] the form is not shown: " + error);
    }
  }
  if (document.body && document.readyState !== "loading") begin();
  else if (shape === "inline" && !wishes.get("into")) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
