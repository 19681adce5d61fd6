/* Draws the plots of a page anew with uPlot, from the values that the server's drawing carries along: values can then be read, by pointer and by
   keyboard, and times looked at closer. Where this does not run, the server's drawing stays; it is what is printed, too. */
"use strict";

window.plots = (function () {
	const heightPx = 260, leastSteps = 4;
	const drawn = new WeakMap();

	/* As the rest of the page writes numbers: report/words.h. */
	function words(value) {
		const [whole, part] = String(Math.round(value * 10) / 10).split(".");
		return whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") + (part ? `.${part}` : "");
	}

	/* ---- what the server says ---- */

	function numbers(text) {
		return text === "" ? [] : text.split(" ").map((word) => (word === "-" ? null : Number(word)));
	}

	function read(figure) {
		const { layers, most, step, at, values, marks } = figure.dataset;
		const [first, ...later] = numbers(at), count = Number(layers), flat = numbers(values);
		const times = [first, ...later.map((ms) => first + ms)];
		return {
			times,
			step: Number(step),
			layers: count,
			most: Number(most),
			rows: times.map((_, i) => flat.slice(i * count, (i + 1) * count)),
			marks: marks === "" ? [] : marks.split(" ").map((mark) => mark.split("@").map(Number)).map(([number, ms]) => ({ number, at: first + ms })),
		};
	}

	/* Sums of layers, the highest first: each is painted over by those below it. A step ends where the next begins, or with itself. */
	function stacked(told) {
		const points = [];
		told.rows.forEach((row, i) => {
			const end = told.times[i] + told.step, last = i + 1 === told.rows.length;
			points.push([told.times[i], row]);
			if (last || told.times[i + 1] > end)
				points.push([end, last ? row : null]);
		});
		const columns = [points.map(([at]) => at / 1000)];
		for (let layer = told.layers; layer > 0; layer--)
			columns.push(points.map(([, row]) => row && row.slice(0, layer).reduce((sum, value) => sum + value, 0)));
		return columns;
	}

	function columnsOf(told) {
		return told.layers > 1 ? stacked(told) : [told.times.map((at) => (at + told.step / 2) / 1000), told.rows.map(([value]) => value)];
	}

	/* ---- how it looks ---- */

	function colour(name) {
		return getComputedStyle(document.body).getPropertyValue(name).trim();
	}

	/* The tile that the server's drawing fills a layer with. */
	function pattern(plot, layer) {
		const ratio = devicePixelRatio, canvas = document.createElement("canvas"), tile = plot.figure.querySelectorAll("pattern")[layer];
		const pen = canvas.getContext("2d");
		canvas.width = canvas.height = Math.round(8 * ratio);
		pen.scale(canvas.width / 8, canvas.height / 8);
		for (const shape of tile.children) {
			const of = (name) => shape.getAttribute(name);
			pen.fillStyle = of("fill") || "transparent";
			pen.strokeStyle = of("stroke") || "transparent";
			pen.lineWidth = Number(of("stroke-width"));
			if (shape.tagName === "rect")
				pen.fillRect(0, 0, 8, 8);
			else if (shape.tagName === "path")
				pen.stroke(new Path2D(of("d")));
			else {
				pen.beginPath();
				pen.arc(Number(of("cx")), Number(of("cy")), Number(of("r")), 0, 2 * Math.PI);
				pen.fill();
			}
		}
		return pen.createPattern(canvas, "repeat");
	}

	function drawMarks(plot, u) {
		const { ctx, bbox } = u, ratio = devicePixelRatio;
		ctx.save();
		ctx.strokeStyle = ctx.fillStyle = colour("--ink");
		ctx.font = `${11 * ratio}px sans-serif`;
		ctx.textAlign = "center";
		ctx.setLineDash([4 * ratio, 3 * ratio]);
		for (const mark of plot.told.marks) {
			const x = u.valToPos(mark.at / 1000, "x", true);
			if (x < bbox.left || x > bbox.left + bbox.width)
				continue;
			ctx.beginPath();
			ctx.moveTo(x, bbox.top - 3 * ratio);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
			ctx.fillText(mark.number, x, bbox.top - 6 * ratio);
		}
		ctx.restore();
	}

	function clock(ms) {
		return new Date(ms).toISOString().slice(11, 19);
	}

	function seriesOf(plot) {
		if (plot.told.layers === 1)
			return [{}, { stroke: () => colour("--blue"), width: 2, points: { show: false } }];
		const paths = uPlot.paths.stepped({ align: 1 }), series = [{}];
		for (let layer = plot.told.layers; layer > 0; layer--)
			series.push({ paths, width: 0, points: { show: false }, fill: () => pattern(plot, layer - 1) });
		return series;
	}

	function optionsOf(plot) {
		const axis = { stroke: () => colour("--faint"), grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
		return {
			width: widthOf(plot),
			height: heightPx,
			padding: [20, 32, 0, 0],
			legend: { show: false },
			cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
			scales: { y: { range: (u, least, most) => [0, plot.told.most || uPlot.rangeNum(0, Math.max(most || 0, 1), 0.05, true)[1]] } },
			axes: [{ ...axis, space: 80, values: (u, at) => at.map((s) => clock(s * 1000)) }, { ...axis, size: 62, values: (u, values) => values.map(words) }],
			series: seriesOf(plot),
			hooks: { setCursor: [() => told(plot)], draw: [(u) => drawMarks(plot, u)] },
		};
	}

	function widthOf(plot) {
		return Math.max(plot.figure.clientWidth, 200);
	}

	/* ---- values that are read ---- */

	/* The row of a time: the last that began before it. */
	function rowAt(plot, ms) {
		let row = 0;
		while (row + 1 < plot.told.times.length && plot.told.times[row + 1] <= ms)
			row++;
		return row;
	}

	function valuesOf(plot, row) {
		return plot.told.rows[row].map((value) => (value === null ? "–" : words(value)));
	}

	function told(plot) {
		const left = plot.u ? plot.u.cursor.left : -1, shown = left >= 0;
		const row = shown ? rowAt(plot, plot.u.posToVal(left, "x") * 1000) : 0, values = shown ? valuesOf(plot, row) : [];
		const when = shown ? `${clock(plot.told.times[row])} UTC` : "";
		plot.outputs.forEach((output, layer) => (output.textContent = values[layer] || ""));
		plot.when.textContent = when;
		if (!shown)
			return;
		plot.row = row;
		plot.box.setAttribute("aria-valuenow", row);
		plot.box.setAttribute("aria-valuetext", [when, ...values.map((value, layer) => `${plot.names[layer] || ""} ${value}`.trim())].join("; "));
	}

	function go(plot, row) {
		const to = Math.min(Math.max(row, 0), plot.told.times.length - 1), u = plot.u;
		const at = (plot.told.times[to] + plot.told.step / 2) / 1000, { min, max } = u.scales.x;
		if (at < min || at > max)
			show(plot, at - (max - min) / 2, at + (max - min) / 2);
		u.setCursor({ left: u.valToPos(at, "x"), top: 0 });
	}

	/* ---- looking closer ---- */

	function wholeOf(plot) {
		const at = plot.u.data[0];
		return [at[0], at[at.length - 1]];
	}

	function show(plot, min, max) {
		const [first, last] = wholeOf(plot), span = Math.min(Math.max(max - min, (plot.told.step * leastSteps) / 1000), last - first);
		const begin = Math.min(Math.max((min + max - span) / 2, first), last - span);
		plot.u.setScale("x", { min: begin, max: begin + span });
	}

	function look(plot, factor) {
		const { min, max } = plot.u.scales.x, left = plot.u.cursor.left;
		const middle = left >= 0 ? plot.u.posToVal(left, "x") : (min + max) / 2;
		show(plot, middle - (middle - min) * factor, middle + (max - middle) * factor);
	}

	const looks = {
		closer: (plot) => look(plot, 0.5),
		farther: (plot) => look(plot, 2),
		all: (plot) => show(plot, ...wholeOf(plot)),
	};

	const keys = {
		ArrowLeft: (plot) => go(plot, plot.row - 1),
		ArrowRight: (plot) => go(plot, plot.row + 1),
		PageDown: (plot) => go(plot, plot.row - 10),
		PageUp: (plot) => go(plot, plot.row + 10),
		Home: (plot) => go(plot, 0),
		End: (plot) => go(plot, plot.told.times.length - 1),
		"+": looks.closer,
		"=": looks.closer,
		"-": looks.farther,
		"0": looks.all,
	};

	function listen(plot) {
		plot.box.addEventListener("keydown", (event) => {
			if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey)
				return;
			event.preventDefault();
			keys[event.key](plot);
		});
		for (const button of plot.figure.querySelectorAll(".tools button"))
			button.addEventListener("click", () => looks[button.value](plot));
		new ResizeObserver(() => plot.u.setSize({ width: widthOf(plot), height: heightPx })).observe(plot.figure);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.u.redraw());
	}

	/* ---- beginning, and going on ---- */

	function element(name, className) {
		const made = document.createElement(name);
		made.className = className;
		return made;
	}

	function boxOf(figure, caption) {
		const box = element("div", "box"), hint = `${caption.id}-hint`;
		box.id = `${caption.id}-box`;
		for (const [name, value] of Object.entries({ role: "slider", tabindex: 0, "aria-labelledby": caption.id, "aria-describedby": hint, "aria-valuemin": 0 }))
			box.setAttribute(name, value);
		return box;
	}

	function bound(plot) {
		plot.row = Math.min(plot.row, plot.told.times.length - 1);
		plot.box.setAttribute("aria-valuemax", plot.told.times.length - 1);
		plot.box.setAttribute("aria-valuenow", plot.row);
	}

	function draw(figure) {
		const caption = figure.querySelector("figcaption"), items = [...figure.querySelectorAll(".legend li")];
		const plot = { figure, told: read(figure), row: 0, u: null, box: boxOf(figure, caption), when: element("output", "when") };
		plot.names = items.map((item) => item.textContent.trim());
		plot.outputs = (items.length > 0 ? items : [caption]).map((item) => item.appendChild(element("output", "value")));
		caption.append(plot.when);
		caption.after(plot.box);
		figure.classList.add("drawn");
		figure.querySelector(":scope > svg").setAttribute("aria-hidden", "true");
		figure.querySelector(".tools").hidden = false;
		plot.row = plot.told.times.length - 1;
		bound(plot);
		plot.u = new uPlot(optionsOf(plot), columnsOf(plot.told), plot.box);
		drawn.set(figure, plot);
		listen(plot);
	}

	/* Whether the figure goes on, with what the new one carries: what is looked at stays so. */
	function update(figure, fresh) {
		const plot = drawn.get(figure);
		if (!plot || !fresh.matches("figure[data-values]") || fresh.dataset.layers !== figure.dataset.layers)
			return false;
		const [first, last] = wholeOf(plot), { min, max } = plot.u.scales.x, isWhole = min <= first && max >= last;
		Object.assign(figure.dataset, fresh.dataset);
		const svg = fresh.querySelector(":scope > svg");
		svg.setAttribute("aria-hidden", "true");
		figure.querySelector(":scope > svg").replaceWith(svg);
		plot.told = read(figure);
		bound(plot);
		plot.u.batch(() => {
			plot.u.setData(columnsOf(plot.told), isWhole);
			if (!isWhole)
				show(plot, min, max);
		});
		told(plot);
		return true;
	}

	function drawAll(root) {
		for (const figure of root.querySelectorAll("figure[data-values]"))
			if (!drawn.has(figure))
				draw(figure);
	}

	drawAll(document);
	return { drawAll, update };
})();
