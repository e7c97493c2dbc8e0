// Brings the course's stylesheet into JupyterLab, and folds its file list away where the window is as narrow as a phone's.
// An extension in the form of webpack's module federation, by hand: no build step. A script, not a module.

/** @typedef {{restored: Promise<void>, shell: {collapseLeft(): void}}} JupyterLab */

(() => {
  const plugin = {
    id: "pgcourse-style:plugin",
    autoStart: true,
    /** @param {JupyterLab} app */
    activate: (app) => {
      // Not awaited: the page is restored only when every extension is there.
      void app.restored.then(() => {
        if (window.innerWidth < 768) {
          app.shell.collapseLeft();
        }
      });
    },
  };
  const page = /** @type {Window & {_JUPYTERLAB?: Record<string, object>}} */ (window);
  page._JUPYTERLAB = page._JUPYTERLAB ?? {};
  page._JUPYTERLAB["pgcourse-style"] = { init: async () => {}, get: async () => () => [plugin] };

  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("style.css", script.src).href;
  document.head.append(link);
})();
