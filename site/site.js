// What the site adds to its theme: the theme's name where the course's styles look for it, and menus for the keyboard.

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

function nameTheme() {
  const chosen = document.body.dataset.theme;
  root.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
}

// The theme opens its menus with labels of hidden checkboxes, which a keyboard does not reach.
function makeButton(label) {
  const box = document.getElementById(label.htmlFor);
  label.tabIndex = 0;
  label.setAttribute("role", "button");
  label.setAttribute("aria-label", box.getAttribute("aria-label"));
  label.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      box.click();
    }
  });
}

// A wide table, formula or listing scrolls by itself; the keyboard has to reach it. What is folded has no width yet.
function makeReachable() {
  for (const part of document.querySelectorAll("pre, .table-wrapper, .output, div.math")) {
    if (part.scrollWidth > part.clientWidth && !part.hasAttribute("tabindex")) part.tabIndex = 0;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  nameTheme();
  new MutationObserver(nameTheme).observe(document.body, { attributeFilter: ["data-theme"] });
  system.addEventListener("change", nameTheme);
  document.querySelectorAll("label.nav-overlay-icon, label.toc-overlay-icon").forEach(makeButton);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("input.sidebar-toggle:checked").forEach((box) => (box.checked = false));
  });
  document.querySelectorAll("button.copybtn").forEach((button) => button.setAttribute("aria-label", "Copy"));
  document.querySelector("aside.sidebar-drawer")?.setAttribute("aria-label", "Site");
  document.querySelector("aside.toc-drawer")?.setAttribute("aria-label", "This page");
  makeReachable();
  document.addEventListener("toggle", makeReachable, { capture: true });
  addEventListener("resize", makeReachable);
});
