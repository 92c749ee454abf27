// Ties a page's sounds to its pictures: a line that moves with the sound, clicks that go to a moment, keys, and one
// sound at a time. Everything is looked up when it is needed, for Streamlit replaces elements whenever a script runs.

const STEP = 1 // seconds that an arrow key goes
const PAUSE = 33 // milliseconds between two places of a line: all frames of a screen would take twice the processor
const STEADY = 5 // pixels that a finger may move while it clicks
const LINE =
  "position:absolute;left:0;z-index:2;width:2px;margin-left:-1px;background:#fff;box-shadow:0 0 0 1px #000;" +
  "pointer-events:none;will-change:transform" // moved by the compositor: the picture isn't painted again

const hosts = new Set() // where this component stands: the browser runs this file once for all of them
const lines = new WeakMap() // by picture
const calm = window.matchMedia("(prefers-reduced-motion: reduce)")
let listening = null
let current = null // the sound that was started or sought last, which keys act on
let pressed = null // where in which picture a finger or a button went down
let moving = [] // pictures of the sound that plays
let next = 0

const sounds = () => [...document.querySelectorAll("audio")]
const keptIn = picture => picture?._fullLayout?.xaxis && picture._fullLayout.meta?.kept
const pictures = () => [...document.querySelectorAll(".js-plotly-plot")].filter(keptIn)

// A picture belongs to the last sound before it on the page.
const soundOf = picture =>
  sounds().findLast(sound => sound.compareDocumentPosition(picture) & Node.DOCUMENT_POSITION_FOLLOWING)

// A picture shows these stretches of its sound, one after another: `kept`, in seconds.
function toPicture(kept, seconds) {
  let shown = 0
  for (const [start, end] of kept) {
    if (seconds < end) return shown + Math.max(0, seconds - start)
    shown += end - start
  }
  return shown
}

function toSound(kept, shown) {
  for (const [start, end] of kept) {
    if (shown < end - start) return start + Math.max(0, shown)
    shown -= end - start
  }
  return kept.at(-1)?.[1] ?? 0
}

const unit = axis => (axis.type === "date" ? 1000 : 1) // of an axis of time, in a second

function newLine(picture) {
  const line = document.createElement("div")
  line.className = "sound-cursor"
  line.style.cssText = LINE
  if (!lines.has(picture)) picture.on("plotly_afterplot", () => listening && keptIn(picture) && place(picture))
  lines.set(picture, line)
  picture.querySelector(".svg-container").append(line)
  return line
}

function place(picture, sound = soundOf(picture)) {
  const seconds = sound?.currentTime ?? 0
  let line = lines.get(picture)
  if (!line?.isConnected) {
    if (!seconds) return
    line = newLine(picture)
  }
  const { xaxis: axis, _size: size } = picture._fullLayout
  const x = axis.l2p(toPicture(keptIn(picture), seconds) * unit(axis))
  line.hidden = !seconds || x < -1 || x > axis._length + 1
  line.style.transform = `translateX(${axis._offset + x}px)`
  const top = `${size.t}px`
  const height = `${size.h}px`
  if (line.style.top !== top) line.style.top = top
  if (line.style.height !== height) line.style.height = height
}

function draw() {
  const drawn = pictures().map(picture => [picture, soundOf(picture)])
  for (const [picture, sound] of drawn) place(picture, sound)
  moving = drawn.filter(([, sound]) => sound && !sound.paused)
}

// From one look at the page to the next, a quarter of a second, only what moves is looked at.
function follow() {
  clearTimeout(next)
  for (const [picture, sound] of moving) if (picture.isConnected && keptIn(picture)) place(picture, sound)
  if (moving.length && !calm.matches) next = setTimeout(follow, PAUSE)
}

function look() {
  draw()
  follow()
}

function started({ target }) {
  for (const sound of sounds()) if (sound !== target) sound.pause()
  current = target
  look()
}

function emptied({ target }) {
  if (target === sounds()[0]) current = null // the page shows something else now
  look()
}

function down(event) {
  const picture = event.target.closest?.(".nsewdrag") && event.target.closest(".js-plotly-plot")
  pressed = event.button === 0 && keptIn(picture) ? { picture, x: event.clientX, y: event.clientY } : null
}

function up({ clientX, clientY }) {
  const steady = pressed && Math.hypot(clientX - pressed.x, clientY - pressed.y) < STEADY
  const sound = steady && soundOf(pressed.picture)
  if (sound) {
    const axis = pressed.picture._fullLayout.xaxis
    const left = pressed.picture.querySelector(".svg-container").getBoundingClientRect().left
    sound.currentTime = toSound(keptIn(pressed.picture), axis.p2l(clientX - left - axis._offset) / unit(axis))
    current = sound
  }
  pressed = null
}

function key(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.defaultPrevented) return
  // Whatever takes keys itself keeps them.
  if (event.target !== document.body && !event.target.matches?.("[data-testid=stMain]")) return
  const sound = current?.isConnected ? current : sounds()[0]
  if (!sound) return
  if (event.key === " ") sound.paused ? sound.play() : sound.pause()
  else if (event.key === "ArrowLeft") sound.currentTime = Math.max(0, sound.currentTime - STEP)
  else if (event.key === "ArrowRight") sound.currentTime = Math.min(sound.duration || 0, sound.currentTime + STEP)
  else return
  event.preventDefault()
}

function listen() {
  listening = new AbortController()
  const options = { capture: true, signal: listening.signal }
  document.addEventListener("play", started, options)
  document.addEventListener("emptied", emptied, options)
  for (const event of ["pause", "seeking", "seeked", "timeupdate"]) document.addEventListener(event, look, options)
  document.addEventListener("pointerdown", down, options)
  document.addEventListener("pointerup", up, options)
  document.addEventListener("keydown", key, { signal: listening.signal })
}

function stopIfGone() {
  for (const host of hosts) if (!host.isConnected) hosts.delete(host)
  if (hosts.size) return
  listening?.abort()
  listening = current = pressed = null
  moving = []
  clearTimeout(next)
}

export default function ({ parentElement }) {
  hosts.add(parentElement)
  if (!listening) listen()
  return () => setTimeout(stopIfGone)
}
