# The files are in place, after a first install or an upgrade. Nothing is started.
if command -v systemd-tmpfiles >/dev/null 2>&1; then
  systemd-tmpfiles --create /usr/lib/tmpfiles.d/idc-codedeploy-helper.conf || :
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
fi
if command -v journalctl >/dev/null 2>&1; then
  journalctl --update-catalog >/dev/null 2>&1 || :
fi
