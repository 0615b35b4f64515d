"""How the campaign's page is laid out, within the frame of Dask's dashboard."""

TEMPLATE = """{% extends "base.html" %}
{% block extra_resources %}
<style>
  .campaign { max-width: 1500px; margin: 0.5rem auto 1.5rem; display: grid; gap: 1rem;
              grid-template-columns: repeat(12, 1fr); }
  .campaign > div { min-width: 0; }
  .head, .facts { grid-column: span 12; }
  .map, .strain { grid-column: span 6; }
  @media screen and (max-width: 900px) { .map, .strain { grid-column: span 12; } }
  .map, .strain { background: #fff; border: 1px solid #e4e4e4; border-radius: 6px; padding: 8px; }
</style>
{% endblock %}
{% block content %}
{% from macros import embed %}
<div class="campaign">
  <div class="head">{{ embed(roots.head) }}</div>
  <div class="map">{{ embed(roots.map) }}</div>
  <div class="strain">{{ embed(roots.strain) }}</div>
  <div class="facts">{{ embed(roots.facts) }}</div>
</div>
{{ plot_script }}
{% endblock %}
"""

TEXT = """
:host, .bk-clearfix { width: 100%; font: 14px Helvetica, Arial, sans-serif; color: #222; }
.title { font-size: 22px; margin-bottom: 6px; overflow-wrap: anywhere; }
.name { font-weight: bold; }
.phase { font-size: 14px; padding: 2px 10px; border-radius: 10px; background: #e4e4e4; }
.phase.running { background: #d6e6f4; color: #08306b; }
.phase.finished { background: #08519c; color: #fff; }
.phase.stopped, .phase.stopping { background: #fbe0cc; color: #7a2e00; }
.trouble { background: #fbe0cc; color: #7a2e00; padding: 6px 10px; border-radius: 4px;
           margin-bottom: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.bar { height: 8px; background: #e4e4e4; border-radius: 4px; overflow: hidden; }
.bar div { height: 100%; background: #2171b5; }
.tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: 8px; margin-top: 8px; }
@media screen and (max-width: 900px) {
  .tiles { grid-template-columns: repeat(6, 1fr); }
  .tiles div { grid-column: span 2; }
  .tiles div:nth-child(n + 4) { grid-column: span 3; }
}
.tiles div, section { background: #fff; border: 1px solid #e4e4e4; border-radius: 6px;
                      padding: 8px 12px; }
.tiles small { display: block; color: #666; font-size: 12px; }
.tiles b { font-size: 19px; font-variant-numeric: tabular-nums; white-space: nowrap; }
h3 { font-size: 14px; margin: 0 0 6px; }
p { margin: 4px 0; color: #666; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th { text-align: right; color: #666; font-weight: normal; font-size: 12px; padding: 2px 0 2px 14px; }
td { text-align: right; padding: 2px 0 2px 14px; border-top: 1px solid #eee; overflow-wrap: anywhere; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
ul { margin: 0; padding: 0; list-style: none; }
li { border-top: 1px solid #eee; padding: 4px 0; overflow-wrap: anywhere; }
li b { color: #a33b00; }
li span { color: #666; }
pre { margin: 2px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; }
"""

FACTS = (
    TEXT
    + """
.facts { display: grid; gap: 1rem; grid-template-columns: minmax(180px, 1fr) 3fr; }
section { min-width: 0; box-sizing: border-box; }
.allocations, .failures { grid-column: 1 / -1; }
@media screen and (max-width: 900px) { .facts { grid-template-columns: 1fr; } }
"""
)
"""For the text below the figures: its sections side by side."""
