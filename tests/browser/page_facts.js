// What page_facts.py asks a page, as one object of functions.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];

  const numbers = (color) => {
    const found = color.match(/[\d.]+/g).map(Number);
    return found.length < 4 ? [...found, 1] : found;
  };

  const luminance = ([red, green, blue]) =>
    [red, green, blue]
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);

  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const found = numbers(getComputedStyle(one).backgroundColor);
      if (found[3] === 1) return found;
    }
    return [255, 255, 255, 1];
  };

  return {
    overflow: () => document.documentElement.scrollWidth - document.documentElement.clientWidth,

    unlabeled: () =>
      all("input:not([type=hidden]), select, textarea, button")
        .filter((one) => !one.labels?.length && !one.getAttribute("aria-label"))
        .filter((one) => one.tagName !== "BUTTON" || !one.textContent.trim())
        .map((one) => one.outerHTML),

    dangling: () => {
      const ids = all("[id]").map((one) => one.id);
      const named = ["aria-describedby", "aria-labelledby", "for", "form"].flatMap((name) =>
        all(`[${name}]`).flatMap((one) => one.getAttribute(name).split(" ")),
      );
      const inside = all('a[href^="#"]').map((one) => one.getAttribute("href").slice(1));
      const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
      return [...named, ...inside].filter((id) => !ids.includes(id)).concat(twice);
    },

    contrasts: () => {
      const seen = [];
      for (const one of all("body *")) {
        const box = one.getBoundingClientRect();
        if (!box.width || !box.height || one.className === "unseen") continue;
        const style = getComputedStyle(one);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (Number(style.fontWeight) >= 700 && size >= 18.66);
        if ([...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
          seen.push([large ? "large" : "text", `${one.tagName}.${one.className}`, ratio(numbers(style.color), ground(one))]);
        if (one.matches("input:not([type=hidden], [type=radio], [type=checkbox]), select"))
          seen.push(["edge", one.id, ratio(numbers(style.borderTopColor), ground(one.parentElement))]);
        if (one.placeholder)
          seen.push(["text", `placeholder of ${one.id}`, ratio(numbers(getComputedStyle(one, "::placeholder").color), ground(one))]);
      }
      return seen;
    },
  };
})()
