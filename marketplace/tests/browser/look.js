// What a person sees of the mail in this window, as figures.
() => {
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = color.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const [r, g, b, alpha = 1] = rgb(getComputedStyle(each).backgroundColor);
      if (alpha > 0) return alpha === 1 ? [r, g, b] : null;
    }
    return null;
  };
  const contrast = (element) => {
    const [r, g, b, alpha = 1] = rgb(getComputedStyle(element).color);
    const behind = ground(element);
    // What shines through cannot be told: it counts as unreadable.
    if (!behind || alpha < 1) return 0;
    for (let each = element; each; each = each.parentElement) if (getComputedStyle(each).opacity < 1) return 0;
    const [low, high] = [luminance([r, g, b]), luminance(behind)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const rects = (node, start, end) => {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, end);
    return [...range.getClientRects()];
  };

  const texts = [], broken = [], edges = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    const size = parseFloat(getComputedStyle(element).fontSize);
    texts.push({ text: node.data.trim().slice(0, 40), contrast: contrast(element), size });
    edges.push(...rects(node, 0, node.length).map((rect) => [rect.right, node.data.trim()]));
    for (const code of node.data.matchAll(/SR-[0-9A-Z]{5,}/g)) {
      const lines = rects(node, code.index, code.index + code[0].length).map((rect) => rect.top);
      if (new Set(lines).size > 1) broken.push(node.data.trim());
    }
  }
  for (const element of document.body.querySelectorAll("*"))
    if (element.checkVisibility()) edges.push([element.getBoundingClientRect().right, element.className || element.tagName]);
  const [right, widest] = edges.sort((a, b) => b[0] - a[0])[0];

  // A button is a link on a colour of its own.
  const plain = [document.body, document.querySelector("h1")].map((element) => String(ground(element)));
  const buttons = [...document.querySelectorAll("a, button, input")]
    .filter((element) => !plain.includes(String(ground(element))))
    .map((element) => element.getBoundingClientRect())
    .map(({ width, height }) => ({ width, height }));

  return {
    texts, broken, right, widest, buttons,
    scrolls: document.documentElement.scrollWidth,
    page: luminance(ground(document.body)),
    amount: document.querySelector(".amount")?.innerText ?? "",
    words: document.body.innerText,
  };
};
