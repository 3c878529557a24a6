// Shows how far a download is. Without this script the form is a plain download of the same file.
"use strict";

(() => {
    const form = document.querySelector("form[data-export]");
    if (!form || !window.ReadableStream || !window.AbortController) return;
    const box = form.querySelector(".c-progress");
    if (!box) return;
    const bar = box.querySelector("progress");
    const said = box.querySelector("[role=status]");
    const submit = form.querySelector("[type=submit]");
    const cancel = form.querySelector("[data-cancel]");
    const number = (n) => n.toLocaleString("en");

    // Line ends outside of quotes: a cell may hold some of its own.
    const counter = () => {
        let lines = 0;
        let quoted = false;
        return (bytes) => {
            for (const byte of bytes) {
                if (byte === 0x22) quoted = !quoted;
                else if (byte === 0x0a && !quoted) lines += 1;
            }
            return lines;
        };
    };

    // Not every server tells a stream that broke from one that ended: a zip has its own end, a CSV the number of rows.
    const isZipWhole = async (parts) => {
        const end = new Uint8Array(await new Blob(parts).slice(-22).arrayBuffer());
        return end[0] === 0x50 && end[1] === 0x4b && end[2] === 0x05 && end[3] === 0x06;
    };

    const save = (parts, type, name) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(parts, { type }));
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    };

    const size = (bytes) => (bytes < 1e6 ? `${number(Math.ceil(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

    const run = async (stop) => {
        const chosen = form.querySelector("[name=resource]:checked") || form.querySelector("[name=resource]");
        const total = Number(chosen.dataset.rows);
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), signal: stop.signal });
        const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
        if (!answer.ok || !name) {
            form.submit(); // a refusal, or the sign-in: let the page show it
            return;
        }
        const isCsv = name[1].endsWith(".csv");
        const linesOf = counter();
        const parts = [];
        let bytes = 0;
        let rows = 0;
        bar.max = Math.max(total, 1);
        const reader = answer.body.getReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            parts.push(value);
            bytes += value.length;
            if (isCsv) {
                rows = Math.max(linesOf(value) - 1, 0);
                bar.value = Math.min(rows, bar.max);
                said.textContent = `${number(rows)} of ${number(total)} rows`;
            } else {
                said.textContent = `${size(bytes)} of a sheet with ${number(total)} rows`; // compressed: no rows to count
            }
        }
        if (isCsv ? rows < total : !(await isZipWhole(parts))) throw new Error("incomplete");
        save(parts, answer.headers.get("Content-Type"), name[1]);
        bar.value = bar.max;
        said.textContent = `${name[1]}: ${number(isCsv ? rows : total)} rows, ${size(bytes)}`;
    };

    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const stop = new AbortController();
        cancel.onclick = () => stop.abort();
        submit.disabled = true;
        cancel.hidden = box.hidden = false;
        bar.removeAttribute("value");
        said.textContent = "Asking";
        try {
            await run(stop);
        } catch {
            bar.value = 0;
            said.textContent = stop.signal.aborted
                ? "Cancelled: nothing was saved."
                : "The download broke off, and nothing was saved. Reload this page and try again.";
        }
        submit.disabled = false;
        cancel.hidden = true;
    });
})();
