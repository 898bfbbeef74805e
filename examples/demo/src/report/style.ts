// The style sheet. Paper and ink, one accent; colour otherwise means an expert. Light and dark follow the reader's system.

export const style = `
:root{--paper:#fbfaf7;--raised:#fff;--ink:#1d1c1a;--soft:#5d5a54;--faint:#6f6b64;--line:#e4e0d8;--accent:#b3401f;--good:#1f7a45;--bad:#b3261e;--chip:#f0ede6;
--serif:Newsreader,ui-serif,Georgia,serif;--sans:Inter,ui-sans-serif,system-ui,sans-serif;--mono:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--paper:#141416;--raised:#1c1c1f;--ink:#eceae4;--soft:#b0aca3;--faint:#97938a;--line:#303034;--accent:#f0906c;--good:#6cc794;--bad:#ff8a80;--chip:#26262a}}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:400 16px/1.6 var(--sans);-webkit-text-size-adjust:100%;font-feature-settings:'cv05','ss03'}
body{margin:0}
main{max-width:1120px;margin:0 auto;padding:clamp(28px,6vw,88px) clamp(18px,4vw,40px) 96px}
h1,h2{font-family:var(--serif);font-weight:480;letter-spacing:-.015em;line-height:1.08;text-wrap:balance;margin:0}
h1{font-size:clamp(42px,7.4vw,84px);margin:.12em 0 .34em}
h2{font-size:clamp(28px,3.6vw,40px)}
h3{font-size:15px;font-weight:600;margin:2em 0 .6em}
p{margin:0 0 1em}
a{color:inherit}
:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:3px}
.brand{font:600 13px/1 var(--sans);letter-spacing:.16em;text-transform:uppercase;color:var(--accent);margin:0}
.intro{font:400 clamp(19px,2.1vw,23px)/1.5 var(--serif);max-width:44em;color:var(--ink);text-wrap:pretty}
.verdict{margin:1.6em 0 2.6em;font-weight:550}
.verdict a{display:inline-flex;gap:.5em;align-items:baseline;text-decoration:none;padding:.42em 1em;border-radius:99px;border:1px solid currentColor}
.verdict.pass a{color:var(--good)}.verdict.fail,.verdict.fail a{color:var(--bad)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:0 32px;margin:0;border-top:1px solid var(--line)}
.figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end;padding:20px 0 0}
.figures dd{margin:0;font:420 44px/1.1 var(--serif);font-variant-numeric:lining-nums tabular-nums;letter-spacing:-.02em}
.figures dt{color:var(--soft);font-size:14px;line-height:1.45;margin-top:6px;max-width:24em}
section{margin-top:clamp(64px,9vw,108px)}
section>header{max-width:46em;margin-bottom:32px}
.lead{color:var(--soft);margin:.8em 0 0;font-size:17px;text-wrap:pretty}.lead b,.lead strong{color:var(--ink);font-weight:600}
.n{font-variant-numeric:tabular-nums lining-nums}
.note,figcaption{color:var(--faint);font-size:13.5px}
.note{margin-top:28px}
figure{margin:0}figure>.scroll+figcaption{margin-top:8px}
.scroll{overflow-x:auto;scrollbar-width:thin}
.pixels{image-rendering:pixelated;display:block;background:#fff}
.legend{position:sticky;top:0;z-index:2;display:flex;flex-wrap:wrap;gap:6px;padding:10px 0;margin-bottom:18px;background:color-mix(in srgb,var(--paper) 92%,transparent);backdrop-filter:blur(6px)}
.legend button{font:500 13px/1 var(--sans);color:var(--ink);background:var(--chip);border:1px solid transparent;border-radius:99px;padding:8px 13px 8px 10px;display:flex;align-items:center;gap:8px;cursor:pointer}
.legend button[aria-pressed=true]{border-color:var(--ink)}
.legend i,.swatch{width:11px;height:11px;border-radius:3px;display:inline-block}.swatch{margin-right:9px}
.grid-samples{display:grid;gap:44px 40px;grid-template-columns:repeat(auto-fit,minmax(min(480px,100%),1fr))}
.prompt h3{font:italic 400 22px/1.2 var(--serif);margin:0 0 14px}
.prompt h3::before{content:'“'}.prompt h3::after{content:'”'}
.pictures{display:grid;grid-template-columns:repeat(4,1fr);gap:14px}
.sample .main{width:100%;height:auto;aspect-ratio:1;border-radius:8px 8px 0 0;border:1px solid var(--line);border-bottom:0}
.strip{display:block;width:100%;height:26px;shape-rendering:crispEdges;background:var(--chip)}
.film{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:1px;background:var(--line);border:1px solid var(--line);border-top:0;border-radius:0 0 8px 8px;overflow:hidden}
.film img{width:100%;height:auto;aspect-ratio:1}
.released .main{border:1px solid var(--line);border-radius:8px}
.sample figcaption{display:flex;flex-wrap:wrap;gap:2px 10px;margin-top:7px;font-size:12px;font-variant-numeric:tabular-nums;line-height:1.4}
.sample figcaption b{font-weight:650;color:var(--ink)}.sample figcaption i{width:8px;height:8px;border-radius:2px;display:inline-block;margin-right:5px}
[data-expert]{transition:opacity .15s}
.chart{display:block;width:100%;min-width:720px;height:auto;font-family:var(--sans)}
.grid{stroke:var(--line)}.axis{stroke:var(--faint)}
.tick,.axis-title,.flow-note,.series,.arm-name,.arm-value{font-size:13px;fill:var(--faint);font-variant-numeric:tabular-nums}
.axis-title{fill:var(--soft)}
.curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.curve-label{font-size:13px;font-weight:650}
.curve.plain{stroke:var(--accent)}.curve.balanced{stroke:var(--soft);stroke-dasharray:1 5;stroke-width:2.4}
.dot.plain{fill:var(--accent);stroke:var(--paper);stroke-width:1.5}.dot.balanced{fill:var(--soft);opacity:0}
.series.plain{fill:var(--accent);font-weight:600}.series.balanced{fill:var(--soft);font-weight:600}
.level{stroke:var(--faint);stroke-dasharray:4 4}
.arm-name{fill:var(--ink)}.arm-value{fill:var(--soft)}
.arm.mixture rect,.task rect:not([fill]){fill:var(--ink)}.arm.mixture .arm-name{font-weight:650}
.arm.control rect{fill:url(#hatch)}.hatch-ground{fill:var(--chip)}.hatch-line{stroke:var(--faint);stroke-width:2.6}
.whisker{fill:none;stroke:var(--ink);stroke-width:1.4}.whisker.ground{stroke:var(--paper);stroke-width:4}
.flow image{image-rendering:pixelated}.flow-head text{font-size:13px;fill:var(--faint)}
.band{fill:none;opacity:.42}.wire{fill:none;stroke-width:1.6;opacity:.9}.wire.router{stroke:var(--faint);stroke-dasharray:3 4}
.flow .data{fill:var(--chip);stroke:var(--line)}.flow .model,.flow .router-box{fill:var(--raised);stroke:var(--faint)}
.flow-number{font:500 19px var(--serif);fill:var(--ink)}
.expert{fill-opacity:.16}.expert-name,.router-name{font-size:13px;font-weight:600;fill:var(--ink)}
.clusters{display:grid;gap:36px 32px;grid-template-columns:repeat(auto-fill,minmax(236px,1fr))}
.cluster{min-width:0}
.cluster h3{font:500 20px/1.2 var(--serif);margin:0;display:flex;gap:10px;align-items:baseline}
.cluster h3 span{font:650 13px/1 var(--sans);color:var(--ink);background:color-mix(in srgb,var(--own) 26%,var(--paper));box-shadow:inset 0 0 0 1.5px var(--own);border-radius:5px;padding:4px 8px}
.cluster .size{color:var(--soft);font-size:13px;font-variant-numeric:tabular-nums;margin:6px 0 12px}
.thumbs{display:grid;grid-template-columns:repeat(8,1fr);gap:2px;background:var(--line);padding:2px;border-radius:6px}
.thumbs img{width:100%;aspect-ratio:1}
.colours{display:flex;height:8px;border-radius:4px;overflow:hidden;margin:10px 0;border:1px solid var(--line)}
.categories{list-style:none;margin:0 0 10px;padding:0;font-size:13.5px}
.categories li{display:flex;justify-content:space-between;border-bottom:1px solid var(--line);padding:4px 0}
.words{color:var(--faint);font-size:13px;line-height:1.5;margin:0}
table{border-collapse:collapse;width:100%;font-size:14.5px}
th,td{text-align:left;padding:10px 18px 10px 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
thead th{font-size:13px;color:var(--faint);padding-top:0;white-space:nowrap}
td.n,th.n{text-align:right}
tbody th{font-weight:550}tbody th small{display:block;font-weight:400;color:var(--faint)}
.controls{min-width:760px}.controls td{font-variant-numeric:tabular-nums}
.state{font-weight:650;white-space:nowrap}.pass .state{color:var(--good)}.fail .state{color:var(--bad)}.open .state{color:var(--soft)}
details{margin-top:22px}summary{cursor:pointer;color:var(--soft);font-size:14.5px;margin-bottom:14px}
code,pre{font-family:var(--mono);font-size:13.5px}
pre{background:var(--chip);padding:16px 18px;border-radius:8px;overflow-x:auto;margin:0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:0 56px}
.pairs{display:grid;grid-template-columns:auto 1fr;gap:0;margin:0;font-size:14px}
.pairs dt,.pairs dd{margin:0;padding:5px 0;border-bottom:1px solid var(--line)}
.pairs dt{color:var(--soft);padding-right:24px}.pairs dd{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.sources{padding-left:1.1em;margin:0}.sources li{margin-bottom:.8em}.sources .url{color:var(--soft);overflow-wrap:anywhere}
.licence{font-size:12.5px;background:var(--chip);border-radius:4px;padding:2px 7px;white-space:nowrap}
@media (max-width:560px){.pictures{grid-template-columns:repeat(2,1fr)}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media print{.legend{position:static}section{break-inside:avoid-page;margin-top:48px}}
`;
