// Brings the course's stylesheet into JupyterLab, and folds its file list away where the window is as narrow as a phone's.
// An extension in the form of webpack's module federation, by hand: no build step.
window._JUPYTERLAB = window._JUPYTERLAB || {};
window._JUPYTERLAB["pgcourse-style"] = {
  init: async () => {},
  get: async () => () => [
    {
      id: "pgcourse-style:plugin",
      autoStart: true,
      // Not awaited: the page is restored only when every extension is there.
      activate: (app) => {
        void app.restored.then(() => {
          if (window.innerWidth < 768) {
            app.shell.collapseLeft();
          }
        });
      },
    },
  ],
};

(() => {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("style.css", document.currentScript.src).href;
  document.head.append(link);
})();
