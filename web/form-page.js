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
      option.textContent = names.of(option.value) + " \u2066+" + option.dataset.number + "\u2069"; // left to right
  } catch {} // The letters stay.

  // --- Numbers, as they are written where they are dialed ---------------------------------------------
  const phone = document.getElementById("phone");
  const country = document.getElementById("country");
  function format(event) {
    const typed = phone.value;
    // Who deletes, or types in the middle, or begins with a country code, is left alone.
    if (/^delete/.test(event.inputType) || phone.selectionStart !== typed.length || !/^[\d ()./-]+$/.test(typed)) return;
    const digits = typed.replace(/\D/g, "");
    let text = "", at = 0;
    for (const place of (country ? country.selectedOptions[0] : phone).dataset.shape) {
      if (at === digits.length) break;
      if (place !== "#" && /\D/.test(place)) text += place;
      else if (place === "#" || place === digits[at]) text += digits[at++];
      else return; // Without the prefix of the country it is written as it was typed.
    }
    phone.value = text + digits.slice(at);
  }
  if (phone) phone.addEventListener("input", format);
  if (country) country.addEventListener("change", format);

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
  const W = new Int32Array(64);
  // One block of SHA-256 (FIPS 180-4, section 6.2.2): what `state` becomes by 16 words of `words`.
  function compress(state, words, at) {
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      if (i < 16) W[i] = words[at + i];
      else {
        const x = W[i - 15], y = W[i - 2];
        W[i] = W[i - 16] + W[i - 7]
          + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))
          + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
      }
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    return [state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e, state[5] + f, state[6] + g, state[7] + h];
  }
  // The first 32 bits of SHA-256 of a prefix and a number; the whole blocks of the prefix are hashed once.
  function hasher(prefix) {
    const bytes = new TextEncoder().encode(prefix);
    const whole = bytes.length >> 6;
    const put = (words, at, byte) => { words[at >> 2] |= byte << (24 - 8 * (at & 3)); };
    const blocks = new Int32Array(whole << 4);
    for (let i = 0; i < whole << 6; i++) put(blocks, i, bytes[i]);
    let middle = START;
    for (let at = 0; at < blocks.length; at += 16) middle = compress(middle, blocks, at);
    const rest = bytes.subarray(whole << 6);
    const begun = new Int32Array(32);
    rest.forEach((byte, i) => put(begun, i, byte));
    const words = new Int32Array(32);
    return (count) => {
      const digits = String(count);
      words.set(begun);
      let end = rest.length;
      for (let i = 0; i < digits.length; i++) put(words, end++, digits.charCodeAt(i));
      put(words, end, 0x80);
      const last = end < 56 ? 15 : 31;
      words[last] = (bytes.length + digits.length) * 8;
      let state = compress(middle, words, 0);
      if (last === 31) state = compress(state, words, 16);
      return state[0] >>> 0;
    };
  }

  const value = (name) => (form.elements[name] && form.elements[name].value) || "";
  const status = form.querySelector("[data-working]");
  const button = form.querySelector("button");
  let running = 0;

  function prove() {
    const bits = Number(form.dataset.bits);
    const prefix = [value("challenge"), value("phone"), value("country"), value("email"), ""].join("\n");
    const first = hasher(prefix);
    const run = ++running;
    let count = 0;
    const slice = () => {
      if (run !== running) return;
      for (const end = count + 2000; count < end; count++) {
        if (first(count) >>> (32 - bits) === 0) {
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
