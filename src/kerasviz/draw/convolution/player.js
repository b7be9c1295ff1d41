      const SVG = player.querySelector(".conv svg").namespaceURI;

      function add(parent, name, className, text) {
        const element = parent.appendChild(document.createElement(name));
        if (className) element.className = className;
        if (text) element.textContent = text;
        return element;
      }

      function addShape(parent, name, attributes) {
        const element = parent.appendChild(document.createElementNS(SVG, name));
        for (const key in attributes) element.setAttribute(key, attributes[key]);
        return element;
      }

      function bytes(text) {
        return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      }

      // Numbers as Python writes them: a 5 after the last digit is rounded to an even digit.
      function fixed(value, decimals) {
        const digits = Math.min(decimals + 45, 100);
        const exact = value.toFixed(digits), cut = exact.length - (digits - decimals);
        const shorter = exact.slice(0, cut).replace(/\.$/, "");
        const is_half = /^50*$/.test(exact.slice(cut)) && /[02468]$/.test(shorter);
        return is_half ? shorter : value.toFixed(decimals);
      }

      function write(value, format) {
        if (value === 0) return "0";
        if (Number.isNaN(value)) return "nan";
        if (!Number.isFinite(value)) return value > 0 ? "inf" : "−inf";
        const text = fixed(Math.abs(value / format.unit), format.decimals);
        return (value < 0 && /[1-9]/.test(text) ? "−" : "") + text;
      }

      function ink(r, g, b) {
        const [x, y, z] = [r, g, b].map((value) => {
          const part = value / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * x + 0.7152 * y + 0.0722 * z < 0.179 ? "#fff" : "#000";
      }

      // Colours of values: [ground, ink] of each, as Matplotlib chooses it out of 256.
      function openScale(scale, colors) {
        const table = bytes(colors), pairs = [];
        for (let i = 0; i < 768; i += 3) {
          const rgb = [table[i], table[i + 1], table[i + 2]];
          pairs.push(["rgb(" + rgb.join() + ")", ink(...rgb)]);
        }
        return {
          of(value) {
            if (!Number.isFinite(value)) return [data.invalid, "#000"];
            const part = (value - scale.low) / (scale.high - scale.low);
            return pairs[Math.min(Math.max(Math.floor(part * 256), 0), 255)];
          },
          stops: pairs.filter((_, i) => i % 15 === 0).map((pair) => pair[0]).join(),
        };
      }

      const scales = {};
      for (const part in data.scales) {
        scales[part] = data.scales[part].colors.map((each) => openScale(data.scales[part], each));
      }
      const scaleOf = (part, row) => scales[part][Math.min(row, scales[part].length - 1)];

      function openValues(values) {
        const raw = bytes(values.data);
        if (!values.table) return new Float32Array(raw.buffer);
        const table = new Float32Array(bytes(values.table).buffer);
        const codes = values.bytes === 1 ? raw : new Uint16Array(raw.buffer);
        return Float64Array.from(codes, (code) => table[code]);
      }
      const windows = openValues(data.windows), kernel = data.kernel && openValues(data.kernel);
      const [height, width] = data.window, size = height * width, rows = data.rows.length;

      // A part, and the sign before it, which stay together where a line is too short for all.
      function addFigure(part, title, row) {
        const pair = add(parts[row], "div", "conv-pair");
        if (part in data.signs) add(pair, "span", "conv-sign", data.signs[part]);
        const figure = add(pair, "figure", "conv-part conv-" + part);
        add(figure, "figcaption", "", title);
        return figure;
      }

      function addMap(part, title, shape, source, row) {
        const figure = addFigure(part, title, row);
        const longest = Math.max(...shape), side = part === "input" && rows > 1 ? 150 : 220;
        const svg = addShape(figure, "svg", {
          "class": "conv-map", role: "img", "aria-label": title,
          viewBox: "0 0 " + shape[1] + " " + shape[0],
          width: side * shape[1] / longest, height: data.sequence ? 40 : side * shape[0] / longest,
        });
        if (data.sequence) svg.setAttribute("preserveAspectRatio", "none");
        const fill = { href: source, width: shape[1], height: shape[0], preserveAspectRatio: "none" };
        addShape(svg, "image", fill);
        const map = { figure, side: side * shape[1] / longest };
        if (part === "output") map.cover = addShape(svg, "path", { "class": "conv-cover" });
        if (part === "input" && data.dilation) map.cells = addShape(svg, "path", { "class": "conv-cells" });
        map.frames = ["conv-halo", "conv-frame"].map((name) => addShape(svg, "rect", { "class": name }));
        return map;
      }

      function addGrid(part, title, row) {
        const figure = addFigure(part, title, row);
        const grid = add(figure, "div", "conv-grid");
        const font = width > 5 ? 11 : 14, space = width > 5 ? 2 : 6;
        const letters = "calc(" + data.letters[part] + "ch + " + space + "px)";
        const side = data.numbered ? letters : 180 / width + "px";
        grid.style.font = font + "px/1 system-ui, sans-serif";
        grid.style.gridTemplateColumns = "repeat(" + width + ", " + side + ")";
        const high = data.sequence ? 40 : 180 / width;
        grid.style.gridAutoRows = data.numbered ? 2.4 * font + "px" : high + "px";
        const cells = Array.from({ length: size }, () => add(grid, "span"));
        return { figure, cells, side: 180 };
      }

      function addBar(part, figure, side, tables) {
        const bar = add(figure, "div", "conv-bar");
        bar.style.width = Math.max(side, 90) + "px";
        for (const scale of tables) {
          add(bar, "div").style.background = "linear-gradient(90deg," + scale.stops + ")";
        }
        const labels = add(bar, "p");
        for (const label of data.ticks[part]) add(labels, "span", "", label);
      }

      function fillGrid(part, row, cells, valueOf, maskOf) {
        const scale = scaleOf(part, row), format = data.formats[part];
        cells.forEach((cell, i) => {
          const value = valueOf(i), masked = maskOf(i);
          const [ground, color] = masked ? ["#f2f2f2", "#000"] : scale.of(value);
          cell.style.background = ground;
          cell.style.color = color;
          cell.classList.toggle("conv-masked", masked);
          const has_number = data.numbered && (!masked || data.numbers_masked);
          cell.textContent = has_number ? write(value, format) : "";
        });
      }

      function move(map, top, left, down, right) {
        for (const frame of map.frames) {
          const place = { x: left, y: top, width: right, height: down };
          for (const key in place) frame.setAttribute(key, place[key]);
        }
      }

      // The runs of cells that are not there yet, as rectangles.
      function coverFrom(index) {
        const columns = data.output_shape[1], rectangles = [];
        let start = null, at = 0;
        const close = (end) => {
          while (start !== null && start < end) {
            const row = Math.floor(start / columns), column = start % columns;
            const whole = column === 0 ? Math.floor((end - start) / columns) : 0;
            const wide = whole ? columns : Math.min(columns - column, end - start);
            rectangles.push("M" + column + " " + row + "h" + wide + "v" + (whole || 1) + "h-" + wide + "z");
            start += whole ? whole * columns : wide;
          }
          start = null;
        };
        for (const [frame, count] of data.runs) {
          if (frame <= index) close(at);
          else if (start === null) start = at;
          at += count;
        }
        close(at);
        return rectangles.join("");
      }

      player.querySelector(".conv-heading").textContent = data.heading;
      const container = player.querySelector(".conv-parts"), list = add(container, "div");
      const parts = data.rows.map(() => add(list, "div", "conv-row"));
      const drawn = data.rows.map((one, row) => {
        const name = (one.name ? one.name + "\n" : "");
        const input = addMap("input", name + data.titles.input, data.input_shape, one.input, row);
        if (row === rows - 1) addBar("input", input.figure, input.side, scales.input);
        const grids = { window: addGrid("window", data.titles.window, row) };
        if (!kernel) return { input, grids };
        grids.kernel = addGrid("kernel", data.titles.kernel, row);
        grids.products = addGrid("products", data.titles.products, row);
        const values = kernel.slice(row * size, (row + 1) * size);
        fillGrid("kernel", row, grids.kernel.cells, (i) => values[i], () => false);
        const sum = add(grids.products.figure, "figcaption");
        if (row === rows - 1 && !data.numbered) {
          addBar("kernel", grids.products.figure, 180, scales.kernel);
        }
        return { input, grids, values, sum };
      });
      parts.push(add(container, "div"));
      const output = addMap("output", data.titles.output, data.output_shape, data.output, rows);
      addBar("output", output.figure, output.side, scales.output);
      const formula = player.querySelector(".conv-formula");

      return (index, is_playing) => {
        const step = data.steps[index], [row, column, top, left] = step.place;
        const ys = Array.from({ length: height }, (_, i) => top + i * data.spacing[0]);
        const xs = Array.from({ length: width }, (_, i) => left + i * data.spacing[1]);
        const masked = (i) => {
          const y = ys[Math.floor(i / width)], x = xs[i % width];
          return data.is_data[0][y] === "0" || data.is_data[1][x] === "0";
        };
        drawn.forEach((one, channel) => {
          move(one.input, top, left, ys[height - 1] - top + 1, xs[width - 1] - left + 1);
          if (one.input.cells) {
            const cell = (y, x) => "M" + (x + 0.1) + " " + (y + 0.1) + "h0.8v0.8h-0.8z";
            one.input.cells.setAttribute("d", ys.map((y) => xs.map((x) => cell(y, x)).join("")).join(""));
          }
          const first = (index * rows + channel) * size, window = one.grids.window;
          fillGrid("window", channel, window.cells, (i) => windows[first + i], masked);
          if (step.largest) {
            const at = step.largest[0] * width + step.largest[1];
            window.cells.forEach((cell, i) => cell.classList.toggle("conv-largest", i === at));
          }
          if (!one.values) return;
          const product = (i) => windows[first + i] * one.values[i];
          fillGrid("products", channel, one.grids.products.cells, product, () => false);
          one.sum.textContent = step.captions[channel];
        });
        move(output, row, column, 1, 1);
        output.cover.setAttribute("d", coverFrom(index));
        formula.setAttribute("aria-live", is_playing ? "off" : "polite");
        const place = data.sequence ? "step " + column : "row " + row + ", column " + column;
        formula.textContent = place + ": " + step.formula;
        return place;
      };
