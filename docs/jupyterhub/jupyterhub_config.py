"""JupyterHub for one machine: a system account for each student, and the course as what their servers open."""

import sys
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub puts it there
PROGRAMS = Path(sys.executable).parent  # of the environment with the hub and the course
HUB = Path("/srv/jupyterhub")  # belongs to root; nobody else can enter
PROXY = Path("/opt/hub/proxy/node_modules/.bin/configurable-http-proxy")

# Reachable from this machine only. For a class, put a web server with a certificate in front of it.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.cookie_secret_file = str(HUB / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{HUB / 'jupyterhub.sqlite'}"
c.ConfigurableHTTPProxy.command = [str(PROXY)]
c.ConfigurableHTTPProxy.pid_file = str(HUB / "proxy.pid")

# Who may enter: accounts of this machine, with the passwords of this machine.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {"students"}
c.PAMAuthenticator.allowed_users = {"teacher"}

# Each server runs as its student, with the course's settings, and shows the student's home.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [str(PROGRAMS / "pgcourse"), "lab"]
c.Spawner.notebook_dir = "~"
c.Spawner.start_timeout = 120  # a whole class may start its servers in the same minute
c.Spawner.environment = {
    "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",  # or else that of whoever started the hub
    "OMP_NUM_THREADS": "1",  # one student's computing leaves the other cores to the others
}
c.Spawner.args = [
    # Sockets in the student's own folder. On ports of the machine, every account can listen to what a kernel prints.
    "--KernelManager.transport=ipc",
    # An hour after the last computation a kernel ends, also where its notebook is still open in a browser.
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_connected=True",
]
