// Lay mails out side by side, each in a window of its own of the given width under its name; how high each has become.
async ({ mails, width, columns, title }) => {
  const add = (parent, tag, text = "") => {
    const element = parent.appendChild(document.createElement(tag));
    element.textContent = text;
    return element;
  };
  // A window inside a page is dark only where the page around it is.
  add(document.head, "style", `
    :root { color-scheme: light dark; font-family: sans-serif; background: light-dark(#c9d1cd, #2c3431); }
    body { margin: 0; padding: 40px; width: max-content; color: light-dark(#14201b, #f0f4f2); }
    h1 { margin: 0 0 32px; font-size: 44px; }
    main { display: grid; grid-template-columns: repeat(${columns}, ${width}px); gap: 36px 32px; }
    figure { margin: 0; }
    figcaption { padding: 0 0 10px; font: bold 23px/30px sans-serif; overflow-wrap: anywhere; }
    iframe { display: block; width: ${width}px; border: 0; }
  `);
  add(document.body, "h1", title);
  const main = add(document.body, "main");
  const heights = {};
  for (const mail of mails) {
    const figure = add(main, "figure");
    add(figure, "figcaption", mail.type);
    const frame = document.createElement("iframe");
    const loaded = new Promise((done) => { frame.onload = done; });
    frame.srcdoc = mail.html;
    figure.append(frame);
    await loaded;
    frame.style.height = `${frame.contentDocument.documentElement.scrollHeight}px`;
    heights[mail.type] = frame.offsetHeight;
  }
  return heights;
};
