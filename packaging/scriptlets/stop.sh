# Removal, not an upgrade. It must never fail: a package that cannot be removed helps nobody.
if command -v systemctl >/dev/null 2>&1; then
  systemctl --no-reload disable idc-codedeploy-helper.service idc-codedeploy-helper-agent.path >/dev/null 2>&1 || :
fi
if [ -d /run/systemd/system ]; then
  # The path unit first, or it would start the oneshot once more.
  systemctl stop idc-codedeploy-helper-agent.path >/dev/null 2>&1 || :
  systemctl stop idc-codedeploy-helper.service idc-codedeploy-helper-agent.service >/dev/null 2>&1 || :
fi
