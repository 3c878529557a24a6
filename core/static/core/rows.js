// Unfold opens a row of a list by a click on a cell. Here it is a button for the keyboard and for screen readers too.
document.addEventListener("DOMContentLoaded", () => {
    for (const cell of document.querySelectorAll('#result_list td[x-on\\:click^="rowOpen"]')) {
        const icon = cell.querySelector(".material-symbols-outlined");
        cell.removeAttribute("x-on:click");
        icon.setAttribute("aria-hidden", "true");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "c-open";
        button.setAttribute("x-on:click", "rowOpen = !rowOpen");
        button.setAttribute("x-bind:aria-expanded", "rowOpen");
        button.setAttribute("aria-label", "More of this row");
        icon.replaceWith(button);
        button.append(icon);
    }
});
