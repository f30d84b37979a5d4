/* What an opt-in form does with a script. Without it everything works too: the person waits a moment.
   Keeps nothing in the browser, asks nobody else. */
(() => {
  "use strict";
  const framed = window.parent !== window;
  // A height and the wish to close are no secrets, so any page around may hear them.
  const tell = (message) => framed && window.parent.postMessage(message, "*");

  // --- The page around ---------------------------------------------------------------------------
  const measure = () => tell({ sayso: "height", height: Math.ceil(document.documentElement.getBoundingClientRect().height) });
  if (framed) {
    new ResizeObserver(measure).observe(document.documentElement);
    document.addEventListener("keydown", (event) => event.key === "Escape" && tell({ sayso: "close" }));
    const done = document.querySelector("[data-sayso=done]");
    if (done) tell({ sayso: "done", redirect: done.dataset.redirect || null });
  }
  const summary = document.querySelector(".summary[tabindex]");
  if (summary) summary.focus();

  // --- The names of countries, in the language of the page ------------------------------------------
  try {
    const names = new Intl.DisplayNames([document.documentElement.lang], { type: "region" });
    for (const option of document.querySelectorAll("option[data-number]"))
      option.textContent = names.of(option.value) + " +" + option.dataset.number;
  } catch {} // The letters stay.

  // --- The proof of work ----------------------------------------------------------------------------
  const form = document.querySelector("form[data-bits]");
  if (!form) return;

  const K = [];
  const START = [];
  for (let n = 2; K.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    const part = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
    if (START.length < 8) START.push(part(Math.sqrt(n)));
    K.push(part(Math.cbrt(n)));
  }
  // The first word of SHA-256: a proof never needs more than its 32 bits.
  function firstWord(bytes) {
    const length = bytes.length;
    const words = new Int32Array(((length + 72) >> 6) << 4);
    for (let i = 0; i < length; i++) words[i >> 2] |= bytes[i] << (24 - 8 * (i & 3));
    words[length >> 2] |= 0x80 << (24 - 8 * (length & 3));
    words[words.length - 1] = length * 8;
    const state = START.slice();
    const w = new Int32Array(64);
    for (let block = 0; block < words.length; block += 16) {
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i++) {
        if (i < 16) w[i] = words[block + i];
        else {
          const x = w[i - 15], y = w[i - 2];
          w[i] = (w[i - 16] + w[i - 7]
            + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))
            + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))) | 0;
        }
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = (state[i] + word) | 0; });
    }
    return state[0];
  }

  const value = (name) => (form.elements[name] && form.elements[name].value) || "";
  const status = form.querySelector("[data-working]");
  const button = form.querySelector("button");
  let running = 0;

  function prove() {
    const bits = Number(form.dataset.bits);
    const prefix = [value("challenge"), value("phone"), value("country"), value("email"), ""].join("\n");
    const encoder = new TextEncoder();
    const run = ++running;
    let count = 0;
    const slice = () => {
      if (run !== running) return;
      for (const end = count + 2000; count < end; count++) {
        if (firstWord(encoder.encode(prefix + count)) >>> (32 - bits) === 0) {
          form.elements.proof.value = String(count);
          return form.submit();
        }
      }
      setTimeout(slice, 0);
    };
    slice();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    status.textContent = status.dataset.working;
    setTimeout(prove, 0);
  });
  // Who comes back to the page may send it again.
  window.addEventListener("pageshow", () => {
    running++;
    button.disabled = false;
    status.textContent = "";
  });
})();
