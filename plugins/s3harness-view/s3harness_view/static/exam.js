// The exam: one question at a time, with its clip; an answer is confirmed once the server has journalled it.
import { announce, el, getJson, postJson, seconds, setKeys, toggleHelp, visible, words } from "./dom.js";

const main = document.getElementById("main");
let clock = new Clock();

// Seconds that the question was in sight: pauses and hidden pages do not count.
function Clock() {
  let total = 0;
  let since = performance.now();
  this.pause = () => { if (since !== null) total += performance.now() - since; since = null; };
  this.go = () => { since ??= performance.now(); };
  this.seconds = () => (total + (since === null ? 0 : performance.now() - since)) / 1000;
}

// An answer in the form of a prompt, as a person would say it: its fields one after the other.
function inWords(text) {
  let parts = [text];
  try {
    const value = JSON.parse(text);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) parts = Object.values(value).map((part) => (typeof part === "string" ? words(part) : JSON.stringify(part)));
  } catch { /* a free text */ }
  return visible(parts.filter(Boolean).join(": ").slice(0, 2000));
}

async function next() {
  const question = await getJson("/api/question");
  clock = new Clock();
  release();
  if (question.finished) return finish(question);
  document.getElementById("crumbs").replaceChildren(el("progress", { max: question.total, value: question.number - 1, "aria-label": "Questions answered" }), `Question ${question.number} of ${question.total}${question.second ? ", second answer" : ""}`);
  announce(question.second ? "Your answer is locked. The model's answer is shown." : "");
  document.title = `Question ${question.number} of ${question.total} – Exam`;
  const video = question.has_clip ? clip(question) : null;
  const form = forms[question.form.kind](question, video);
  main.replaceChildren(el("div", { class: "question", "data-id": question.id, "data-second": String(question.second) },
    el("section", { "aria-label": "Clip" }, video?.node ?? el("p", { class: "hint" }, "This question has no clip.")),
    el("section", { "aria-label": "Question" },
      el("h1", {}, question.second ? "Your second answer" : "Question"),
      question.second && el("div", { class: "advice" }, el("p", {}, "You answered: ", el("strong", { dir: "auto" }, inWords(question.own) || "declined")), el("p", {}, "The model answered: ", el("strong", { dir: "auto" }, inWords(question.advice) || "nothing"))),
      question.system && el("p", { class: "prompt", dir: "auto" }, visible(question.system)),
      el("p", { class: "prompt", dir: "auto", tabindex: "0" }, visible(question.prompt)),
      form)));
  setKeys([
    [" ", "play or pause the clip", () => video?.toggle()],
    ["ArrowLeft", "1 s back", () => video?.nudge(-1)],
    ["ArrowRight", "1 s on", () => video?.nudge(1)],
    [",", "one frame back", () => video?.frame(-1)],
    [".", "one frame on", () => video?.frame(1)],
    ["p", "pause or go on", pause],
    ...(question.form.choices ?? []).slice(0, 9).map((choice, n) => [String(n + 1), words(choice), () => main.querySelectorAll(".choices button")[n]?.click()]),
    ["Enter", "give the answer", () => main.querySelector(".send button.primary")?.click()],
  ]);
  main.focus({ preventScroll: true });
  video?.play();
}

function clip(question) {
  const video = el("video", { playsinline: true, preload: "auto", src: `/media/question?id=${encodeURIComponent(question.id)}`, "aria-label": "Clip", loop: true });
  const time = el("output", { class: "clock" }, "0:00.0");
  const bar = el("input", { type: "range", min: "0", max: String(question.length_s), step: "0.1", value: "0", "aria-label": "Place in the clip", oninput: () => { video.currentTime = Number(bar.value); } });
  video.addEventListener("timeupdate", () => { time.textContent = seconds(video.currentTime); bar.value = String(video.currentTime); });
  const frame = (by) => {
    video.pause();
    const to = by > 0 ? question.times_s.find((t) => t > video.currentTime + 0.01) : question.times_s.findLast((t) => t < video.currentTime - 0.01);
    if (to !== undefined) video.currentTime = to + 0.005;
  };
  const toggle = () => (video.paused ? video.play() : video.pause());
  const button = el("button", { type: "button", onclick: toggle }, "▶ Play");
  video.addEventListener("play", () => { button.textContent = "❚❚ Pause"; });
  video.addEventListener("pause", () => { button.textContent = "▶ Play"; });
  return { node: el("div", {}, el("div", { class: "screen" }, video), el("div", { class: "controls" }, button, time), bar),
    video, frame, toggle, nudge: (by) => { video.currentTime += by; }, play: () => video.play().catch(() => announce("Press space to play.")) };
}

const forms = {
  choice(question) {
    let chosen = null;
    const reason = question.form.words && el("textarea", { id: "words", maxLength: 1000 });
    const buttons = question.form.choices.map((choice, n) => el("button", { type: "button", "aria-pressed": "false", onclick: (event) => {
      chosen = choice;
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === event.currentTarget)));
      give.disabled = false;
      if (!reason) give.click();
    } }, words(choice), n < 9 && el("kbd", {}, String(n + 1))));
    const [row, give] = sender(question, () => ({ value: chosen, words: reason ? reason.value : "" }));
    give.disabled = true;
    return el("div", { class: "form" }, el("div", { class: "choices", role: "group", "aria-label": "Answers" }, buttons), reason && el("label", { for: "words" }, "In a sentence, what decides it (may be empty)", reason), row);
  },
  time(question, video) {
    const field = el("input", { id: "time", type: "number", min: "0", max: String(question.length_s), step: "0.1" });
    const here = el("button", { type: "button", onclick: () => { field.value = video.video.currentTime.toFixed(1); } }, "Take the clip's time");
    const [row] = sender(question, () => ({ value: field.value === "" ? null : Number(field.value) }));
    return el("div", { class: "form" }, el("label", { for: "time" }, "Seconds from the start of the clip", field), video && here, row);
  },
  names(question) {
    const order = [];
    const list = el("output", {}, "none");
    const buttons = question.form.choices.map((name) => el("button", { type: "button", "aria-pressed": "false", onclick: (event) => {
      const at = order.indexOf(name);
      at < 0 ? order.push(name) : order.splice(at, 1);
      event.currentTarget.setAttribute("aria-pressed", String(at < 0));
      list.textContent = order.map(words).join(", ") || "none";
    } }, words(name)));
    const [row] = sender(question, () => ({ value: order }));
    return el("div", { class: "form" }, el("p", {}, "Choose the signs in the order in which they begin: ", list), el("div", { class: "choices", role: "group", "aria-label": "Signs" }, buttons), row);
  },
  text(question) {
    const field = el("textarea", { id: "text", maxLength: 8000 });
    const [row] = sender(question, () => ({ value: field.value }));
    return el("div", { class: "form" }, el("label", { for: "text" }, "Your answer", field), row);
  },
};

function sender(question, read) {
  const send = async (data) => {
    give.disabled = decline.disabled = true;
    try {
      const reply = await sent({ id: question.id, second: question.second, seconds: clock.seconds(), ...data });
      if (reply.finished) return finish(reply);
    } catch (error) {
      announce(error.message);
      give.disabled = decline.disabled = false;
      // Answered in another window: the page catches up.
      if (!error.message.includes("first answer counts")) return;
    }
    await next().catch(lost);
  };
  const give = el("button", { type: "button", class: "primary", onclick: () => send(read()) }, "Give this answer");
  const decline = el("button", { type: "button", onclick: () => send({ declined: true }) }, "I cannot tell");
  return [el("div", { class: "send" }, give, decline, el("span", { class: "hint" }, "“I cannot tell” counts as wrong, as it does for a model.")), give];
}

// A connection may break; sending again is safe, as the first answer counts.
async function sent(answer, attempts = 3) {
  try {
    return await postJson("/api/answer", answer);
  } catch (error) {
    if (!(error instanceof TypeError) || attempts === 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return sent(answer, attempts - 1);
  }
}

function lost(error) {
  announce(`The server does not answer: ${error.message} Nothing given is lost; start the same command again.`);
}

// As a precaution: a browser has few connections to one server, and a video that is no longer shown may hold one.
function release() {
  const video = main.querySelector("video");
  video?.pause();
  video?.removeAttribute("src");
  video?.load();
}

function finish({ total }) {
  release();
  document.getElementById("crumbs").replaceChildren();
  main.replaceChildren(el("h1", {}, "That was all"), el("p", {}, `${total} questions are answered. The scores stand in the terminal; this page can be closed.`));
  setKeys([]);
}

function pause() {
  const isPaused = document.body.classList.toggle("paused");
  document.getElementById("pause").textContent = isPaused ? "Go on" : "Pause";
  isPaused ? clock.pause() : clock.go();
  main.querySelector("video")?.pause();
}

document.getElementById("pause").addEventListener("click", pause);
document.getElementById("help").addEventListener("click", toggleHelp);
document.addEventListener("visibilitychange", () => (document.hidden ? clock.pause() : document.body.classList.contains("paused") || clock.go()));
next().catch(lost);
