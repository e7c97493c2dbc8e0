// Keys that are meant for a control in the page, not for JupyterLab.

/**
 * Keep arrow keys and letters from JupyterLab, which takes them as commands of its own.
 * @param {HTMLElement} element
 */
export function keepKeys(element) {
  element.dataset.lmSuppressShortcuts = "true";
  element.addEventListener("keydown", (event) => event.stopPropagation());
}
