# A first install only: what an administrator has enabled or disabled since is not touched by an upgrade.
if command -v systemctl >/dev/null 2>&1; then
  systemctl --no-reload preset idc-codedeploy-helper.service idc-codedeploy-helper-agent.path >/dev/null 2>&1 || :
fi
