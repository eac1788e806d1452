"use strict";

// What the page shows is kept in the URL's fragment, as in
// #section-1.hide=0,2&section-1.measure=true_class&section-1.at=35
const view = {
  get(key) {
    return new URLSearchParams(location.hash.slice(1)).get(key);
  },
  set(key, value) {
    const all = new URLSearchParams(location.hash.slice(1));
    if (value === null || value === "") {
      all.delete(key);
    } else {
      all.set(key, value);
    }
    // Commas and the like are allowed in a fragment; left alone they keep it readable.
    const text = all.toString().replaceAll("%2C", ",");
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
  },
};

const SVG = "http://www.w3.org/2000/svg";

function svgElement(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  return element;
}

/** An element with a text, which is never read as markup. */
function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) {
    made.className = className;
  }
  return made;
}

const percent = (share) => (100 * share).toFixed(2) + " %";
const numbers = (element, attribute) => element.getAttribute(attribute).split(" ").map(Number);
