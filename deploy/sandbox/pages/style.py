"""The pages' style sheet, served as a file of its own: the pages allow no style within them."""

from typing import Final

PATH: Final = "/sandbox/style.css"

CSS: Final = """
:root {
  color-scheme: light dark;
  --paper: #faf9f6; --card: #fff; --ink: #1d1c1a; --muted: #605c55; --line: #e3dfd7; --strong: #8a857b;
  --accent: #1f5a4c; --accent-ink: #fff; --focus: #1b5fbf; --ok: #1c6a3b; --alert: #8f4700; --fail: #a6201b;
  --alert-soft: #fdf3e3; --note: #eaf2ee; --slot: #cfdcd6; --code: #1f4f86;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #151614; --card: #1d1e1c; --ink: #edebe6; --muted: #aaa69d; --line: #33332f; --strong: #7c786f;
    --accent: #8fd0bd; --accent-ink: #10201b; --focus: #8ebbff; --ok: #82d39c; --alert: #f2b866; --fail: #ff9a90;
    --alert-soft: #2a2315; --note: #1c2925; --slot: #35443e; --code: #95c0f4;
  }
}
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; margin: 0; }
body { background: var(--paper); color: var(--ink); font-variant-numeric: tabular-nums; }
a { color: inherit; text-underline-offset: .18em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
header { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; align-items: center; background: var(--card); }
header { padding: .6rem clamp(1rem, 3vw, 2.2rem); border-bottom: 1px solid var(--line); }
header strong { font-weight: 650; }
nav { display: flex; flex-wrap: wrap; gap: .1rem .2rem; }
nav a { padding: .3rem .55rem; text-decoration: none; color: var(--muted); }
nav a[aria-current] { color: var(--ink); font-weight: 600; box-shadow: inset 0 -2px var(--accent); }
main { padding: 1.4rem clamp(1rem, 3vw, 2.2rem) 3rem; max-width: 90rem; margin: 0 auto; }
h1 { font-size: 1.55rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.1rem; margin: 1.9rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0; }
p { margin: 0 0 .5em; }
small, .hint { color: var(--muted); }
code, pre { font: .9em ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--paper); border: 1px solid var(--line); padding: .7rem; }
pre { border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .9rem .4rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 500; font-size: .87rem; color: var(--muted); white-space: nowrap; }
.scroll { overflow-x: auto; }
.cards { align-items: start; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(27rem, 100%), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.1rem; }
.card { min-width: 0; }
.card > h2:first-child { margin: 0; font-size: 1rem; }
.head { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; justify-content: space-between; }
.controls { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); }
.controls .card { display: grid; gap: .5rem; align-content: start; }
.now { font-size: 1.2rem; font-weight: 600; margin: 0; }
.now.ok { color: var(--ok); } .now.off { color: var(--fail); } .now.some { color: var(--alert); }
form { display: flex; flex-wrap: wrap; gap: .5rem .7rem; align-items: end; margin: 0; }
label { display: inline-flex; flex-direction: column; gap: .12rem; font-size: .85rem; color: var(--muted); }
button, input, select { font: inherit; color: var(--ink); border-radius: 6px; min-height: 2.2rem; max-width: 100%; }
input, select { background: var(--card); border: 1px solid var(--strong); padding: .3rem .5rem; }
button { background: var(--accent); color: var(--accent-ink); border: 1px solid var(--accent); padding: .3rem .8rem; }
button { font-weight: 600; cursor: pointer; }
button.quiet { background: transparent; color: var(--ink); border-color: var(--strong); font-weight: 500; }
details { margin: .6rem 0 0; }
summary { cursor: pointer; padding: .2rem 0; }
.slots { display: grid; grid-template-columns: minmax(5rem, 1fr) auto auto; gap: .35rem .5rem; width: 100%; }
.slots input { width: 100%; min-width: 0; }
.note { background: var(--note); border-left: 4px solid var(--accent); padding: .6rem .9rem; }
.problem { background: var(--alert-soft); border-left: 4px solid var(--alert); padding: .6rem .9rem; }
.clock { width: 100%; height: auto; display: block; margin: .5rem 0 0; font: 12.5px system-ui, sans-serif; }
.clock text { fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
.clock .muted { fill: var(--muted); } .clock .grid { stroke: var(--line); }
.clock .rail { fill: var(--line); opacity: .5; } .clock .slot { fill: var(--slot); } .clock .code { fill: var(--code); }
.clock .gone { fill: var(--strong); } .clock .nowline { stroke: var(--fail); stroke-width: 1.5; }
.codes td { white-space: nowrap; }
.tabs { display: flex; flex-wrap: wrap; gap: .3rem .45rem; padding: 0; margin: 0 0 .8rem; list-style: none; }
.tabs a { padding: .22rem .6rem; border: 1px solid var(--line); border-radius: 99px; text-decoration: none; }
.tabs a { background: var(--card); display: inline-block; }
.tabs a[aria-current] { border-color: var(--ink); font-weight: 600; }
.chat { display: grid; gap: .9rem; max-width: 52rem; margin-top: 1rem; }
.message { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; }
.message { min-width: 0; }
.message h2 { margin: .1rem 0 .4rem; font-size: 1.05rem; }
.message .context { color: var(--muted); font-size: .87rem; }
.message .buttons { display: flex; flex-wrap: wrap; gap: .4rem; margin: .4rem 0; }
.message .buttons span { border: 1px solid var(--strong); border-radius: 6px; padding: .15rem .6rem; }
.who { color: var(--muted); font-size: .87rem; display: flex; flex-wrap: wrap; gap: .2rem .8rem; }
@media (max-width: 44rem) { body { font-size: 16px; } .clock .odd { display: none; } .clock { font-size: 13px; } }
"""
