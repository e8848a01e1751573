// The video, as recorded or as the run showed it, with its controls and the strip of the frames that were sent.
import { announce, el, seconds } from "./dom.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];
const FRAME_S = 1 / 25;

export class Player {
  constructor(item) {
    this.item = item;
    this.sources = sourcesOf(item);
    this.source = this.sources[0];
    this.listeners = [];
    this.window = null;
    this.video = el("video", { playsinline: true, preload: "auto", "aria-label": `Video ${item.video}`, tabindex: "-1" });
    this.message = el("p", { class: "hint", role: "status" });
    this.clock = el("output", { class: "clock" }, "0:00.0");
    this.playButton = el("button", { type: "button", class: "primary", onclick: () => this.toggle() }, "▶ Play");
    this.speedLabel = el("output", {}, "1×");
    this.loopButton = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.loop() }, "Loop window");
    const select = el("select", { id: "source", onchange: () => this.use(this.sources[select.selectedIndex]) }, this.sources.map((source) => el("option", {}, source.title)));
    this.node = el("div", { class: "player" }, el("div", { class: "screen" }, this.video, this.message),
      el("div", { class: "controls" }, this.playButton,
        el("button", { type: "button", "aria-label": "One frame back", onclick: () => this.frame(-1) }, "◂|"),
        el("button", { type: "button", "aria-label": "One frame on", onclick: () => this.frame(1) }, "|▸"),
        el("button", { type: "button", "aria-label": "Slower", onclick: () => this.faster(-1) }, "−"), this.speedLabel,
        el("button", { type: "button", "aria-label": "Faster", onclick: () => this.faster(1) }, "+"),
        this.loopButton, this.clock,
        el("label", { for: "source", class: "source" }, "Show ", select)));
    this.strip = el("div", { class: "strip", role: "group", "aria-label": "Frames that the model was shown", tabindex: "0" });
    this.video.addEventListener("play", () => { this.playButton.textContent = "❚❚ Pause"; });
    this.video.addEventListener("pause", () => { this.playButton.textContent = "▶ Play"; });
    this.video.addEventListener("error", () => this.failed());
    this.video.addEventListener("waiting", () => { this.message.textContent = this.video.readyState < 2 ? "Preparing the video …" : ""; });
    for (const name of ["playing", "loadeddata", "seeked"]) this.video.addEventListener(name, () => { this.message.textContent = ""; });
  }

  get time() {
    return this.video.currentTime + this.source.offset_s;
  }

  onTime(listener) {
    this.listeners.push(listener);
  }

  start(moment) {
    this.use(this.source, false);
    this.window = moment.window;
    this.seek(moment.at_s, moment.window);
    const tick = () => {
      this.ticking = requestAnimationFrame(tick);
      const time = this.time;
      if (time === this.told) return;
      this.told = time;
      if (this.isLooping && this.window && time >= this.window[1]) this.jump(this.window[0]);
      this.clock.textContent = seconds(time);
      this.listeners.forEach((listener) => listener(time));
    };
    tick();
  }

  stop() {
    cancelAnimationFrame(this.ticking);
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  use(source, keepTime = true) {
    const time = this.time;
    this.source = source;
    this.message.textContent = "Preparing the video …";
    this.video.src = source.url;
    if (keepTime) this.jump(time);
    this.showStrip(source.request);
  }

  // Go to a time and play, as whoever chooses a moment wants to see it.
  seek(time, window) {
    if (window) this.window = window;
    const inside = this.sources.find((source) => source === this.source && covers(source, time)) ?? this.sources.find((source) => covers(source, time));
    if (inside && inside !== this.source) this.use(inside, false);
    this.jump(time);
    this.video.play().catch(() => announce("Press space to play."));
  }

  jump(time) {
    const apply = () => { this.video.currentTime = Math.max(0, time - this.source.offset_s); };
    if (this.video.readyState >= 1) apply();
    else this.video.addEventListener("loadedmetadata", apply, { once: true });
  }

  toggle() {
    this.video.paused ? this.video.play() : this.video.pause();
  }

  nudge(by) {
    this.jump(this.time + by);
  }

  frame(by) {
    this.video.pause();
    const times = this.source.times;
    if (!times) return this.jump(this.time + by * FRAME_S);
    const next = by > 0 ? times.find((time) => time > this.time + 0.01) : times.findLast((time) => time < this.time - 0.01);
    if (next !== undefined) this.jump(next + 0.005);
  }

  faster(by) {
    const at = SPEEDS.indexOf(this.video.playbackRate);
    this.video.playbackRate = SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)];
    this.speedLabel.textContent = `${this.video.playbackRate}×`;
  }

  loop() {
    this.isLooping = !this.isLooping;
    this.loopButton.setAttribute("aria-pressed", String(this.isLooping));
    if (this.isLooping && this.window) this.seek(this.window[0], this.window);
  }

  mute() {
    this.video.muted = !this.video.muted;
    announce(this.video.muted ? "Sound off" : "Sound on");
  }

  async failed() {
    if (!this.video.getAttribute("src")) return;
    // A media element tells no reason; the server does.
    const response = await fetch(this.source.url, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    const data = response && !response.ok ? await response.json().catch(() => null) : null;
    this.message.textContent = data?.error ?? "The browser cannot play this video.";
  }

  showStrip(request) {
    const media = request?.media;
    if (!media?.times_s.length) {
      this.strip.replaceChildren(el("p", { class: "hint" }, "No frames of this request are recorded."));
      return;
    }
    const what = media.is_reported ? "sent" : "wanted; the backend does not report what it sent";
    this.strip.replaceChildren(el("p", { class: "label" }, `${media.times_s.length} frames ${what}`),
      ...media.times_s.map((time, n) => el("button", { type: "button", class: "still", "aria-label": `Frame at ${seconds(time)}`, onclick: () => this.seek(time) },
        el("img", { src: `/media/frame?${new URLSearchParams([["run", request.run], ["record", media.id], ["n", n]])}`, loading: "lazy", alt: "", width: "112", height: "63" }),
        el("span", {}, seconds(time)))));
  }
}

function covers(source, time) {
  return source.until_s === null || (time >= source.offset_s - 0.01 && time <= source.until_s + 0.01);
}

// The recording, unless a run's transforms hid it; then each clip as a run showed it.
function sourcesOf(item) {
  const clips = [];
  const seen = new Set();
  for (const run of item.runs) {
    for (const request of run.requests) {
      if (!request.media?.times_s.length) continue;
      request.run = run.name;
      const key = `${run.transforms} ${request.media.id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      clips.push({ title: `as ${run.name} was shown it, ${seconds(request.from_s)}–${seconds(request.to_s)}`, url: `/media/clip?${new URLSearchParams([["run", run.name], ["record", request.media.id]])}`, offset_s: request.media.start_s, until_s: request.media.end_s, times: request.media.times_s, request });
    }
  }
  const isHidden = item.runs.some((run) => run.transforms.length);
  const recording = { title: "as recorded", url: `/media/video?video=${encodeURIComponent(item.video)}`, offset_s: 0, until_s: null, times: null, request: clips[0]?.request };
  return isHidden && clips.length ? clips : [recording, ...clips];
}
