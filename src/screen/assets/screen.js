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

	function replace(part, html) {
		const active = document.activeElement;
		const within = active !== null && part.contains(active);
		const key = within ? keyOf(active) : "";
		part.innerHTML = html;
		if (key === "")
			return;
		for (const element of part.querySelectorAll("a, button, input"))
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
