// What Unfold draws as clickable can be worked by keys as well, icons are not read out as words, dialogs take the
// focus and give it back, and the ways back to a list keep its filters.
"use strict";

(() => {
    const NAMES = { "sidebarToggle()": "Menu", "handleClear()": "Clear" };
    const ICON = ".material-symbols-outlined";
    // A cell that opens its row holds a button of its own: rows.js.
    const CLICKABLE = "[x-on\\:click]:not(a[href], button, input, label, select, textarea, td)";

    const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
    const wordsOf = (element) => {
        const copy = element.cloneNode(true);
        copy.querySelectorAll(ICON).forEach((icon) => icon.remove());
        return copy.matches(ICON) ? "" : copy.textContent.trim();
    };

    const makeButton = (element) => {
        // A heading stays one: what is in it becomes the button.
        const button = /^H\d$/.test(element.tagName) ? document.createElement("span") : element;
        if (button !== element) {
            button.className = "c-inside";
            button.append(...element.childNodes);
            element.append(button);
        }
        button.setAttribute("role", "button");
        button.tabIndex = 0;
        const name = NAMES[element.getAttribute("x-on:click")] || (wordsOf(element) ? "" : "More");
        if (name) button.setAttribute("aria-label", name);
        button.addEventListener("keydown", (event) => {
            if (event.target !== button || !["Enter", " "].includes(event.key)) return;
            event.preventDefault();
            button.click();
        });
        const opened = element.parentElement.querySelector(":scope > ol, :scope > nav");
        if (!opened) return;
        const tell = () => button.setAttribute("aria-expanded", isShown(opened));
        new MutationObserver(tell).observe(opened, { attributeFilter: ["style"] });
        tell();
    };

    const improve = (root) => {
        root.querySelectorAll(CLICKABLE).forEach((each) => each.matches("[role], :has(> .c-inside)") || makeButton(each));
        for (const icon of root.querySelectorAll(`${ICON}:not([aria-hidden], [role])`)) icon.ariaHidden = "true";
        for (const each of root.querySelectorAll("a:not([aria-label]), button:not([aria-label])"))
            if (!wordsOf(each) && !each.querySelector("img")) each.ariaLabel = each.title || (each.type === "submit" ? "Search" : "More");
    };

    // --- Dialogs

    let opener = null;
    document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
        if (elt.getAttribute("hx-target") === "#modal-content") opener = elt;
    });
    document.addEventListener("htmx:load", ({ detail: { elt } }) => {
        improve(elt);
        if (!elt.matches("#dialog, #dialog-form")) return;
        const fields = [...elt.querySelectorAll("input, select, textarea, button")];
        const take = () => {
            // Never from under somebody's hands: what is typed would end in another field.
            if (elt.contains(document.activeElement)) return;
            const wrong = elt.querySelector(".errors :is(input, select, textarea)");
            (wrong || fields.find(isShown) || elt).focus();
        };
        // A window that opens in this moment cannot have the focus before.
        take();
        setTimeout(take, 60);
    });
    document.addEventListener("alpine:initialized", () => {
        improve(document);
        const content = document.getElementById("content");
        if (content) Object.assign(content, { role: "main", tabIndex: -1 });
        Alpine.effect(() => {
            if (Alpine.$data(document.documentElement).openModal || !opener) return;
            const last = opener;
            opener = null;
            setTimeout(() => (isShown(last) ? last : last.closest(".c-more")?.querySelector("button"))?.focus());
        });
    });

    // --- Back to the list, as it was filtered

    document.addEventListener("DOMContentLoaded", () => {
        const filters = new URLSearchParams(location.search).get("_changelist_filters");
        if (!filters) return;
        for (const link of document.querySelectorAll("#header-inner a")) {
            const rest = location.pathname.startsWith(link.pathname) && location.pathname.slice(link.pathname.length);
            if (/^[^/]+\/change\/$/.test(rest || "")) link.search = filters;
        }
    });
})();
