"""Write one page about a model: collect what goes into it, and put it into one HTML file.

Python collects, the page shows. What is collected is of two kinds:

- **facts**, as JSON: the layers with their addresses, shapes and parameters; the positions of the
  boxes in the graph, from the layout of `plot_architecture`; predictions; findings in plain words;
- **blocks** of values, one for each layer: its kernel and its maps for each image, a byte for each
  value between the lowest and the highest value of its tile. So a value on the page is exact to
  1/254 of the range of its tile, which the page says. A block is compressed, and decoded only when
  its layer is opened.

The page itself is a script and a style sheet, `page.js` and `page.css`, and in a notebook one
module, `widget.js`. They are built from `frontend/` and committed, so that installing needs no
Node. The page's policy allows its script and style by their hashes and nothing else: no network, no
other script, no style in an attribute. Every name reaches the page as data, and the document as
text.

The modules, from the bottom up: `blocks` (values to bytes), `document` (facts and blocks to HTML),
then one module for each part of the page, and `writing`, which holds the public function. In
`notebook` the same parts answer one by one, for `explore`.
"""

from kerasviz.report.writing import report as report
