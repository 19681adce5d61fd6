/* Keeps the parts of a page up to date: each event is named after a part and holds its content. Without this script the page comes anew
   every ten seconds. */
"use strict";

(function () {
	const retryMs = 5000;
	const source = document.body.dataset.live;
	const lost = document.getElementById("lost");

	/* The element that has the keyboard is found again by what it says it is. */
	function keyOf(element) {
		return element.id || element.getAttribute("href") || element.value || "";
	}

	/* A plot that is drawn by a script goes on, with new values. */
	function goesOn(old, fresh) {
		return old.isEqualNode(fresh) || (window.plots !== undefined && window.plots.update(old, fresh));
	}

	/* Elements that are as they were stay the same ones, one behind the other as far as both go. */
	function put(part, html) {
		const template = document.createElement("template");
		template.innerHTML = html;
		const old = [...part.children], fresh = [...template.content.children];
		fresh.forEach((element, i) => {
			if (i >= old.length)
				part.append(element);
			else if (!goesOn(old[i], element))
				old[i].replaceWith(element);
		});
		old.slice(fresh.length).forEach((element) => element.remove());
		if (window.plots !== undefined)
			window.plots.drawAll(part);
	}

	function replace(part, html) {
		const active = document.activeElement;
		const within = active !== null && part.contains(active);
		const key = within ? keyOf(active) : "";
		put(part, html);
		if (key === "" || document.activeElement === active)
			return;
		for (const element of part.querySelectorAll("a, button, input, [tabindex]"))
			if (keyOf(element) === key) {
				element.focus({ preventScroll: true });
				return;
			}
	}

	function say(text) {
		if (lost.textContent !== text)
			lost.textContent = text;
	}

	function open() {
		const stream = new EventSource(source);
		for (const part of document.querySelectorAll("section[id]"))
			stream.addEventListener(part.id, (event) => replace(part, event.data));
		stream.onopen = () => say("");
		stream.onerror = () => {
			say(document.body.dataset.lost);
			if (stream.readyState === EventSource.CLOSED)
				setTimeout(open, retryMs);
		};
	}

	open();
})();
