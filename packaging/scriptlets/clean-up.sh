# The files are gone. What runtime directories held goes too; configuration and credentials stay.
rm -rf /run/idc-codedeploy-helper /run/idc-codedeploy-helper-agent || :
rmdir /var/lib/idc-codedeploy-helper 2>/dev/null || :
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  systemctl reset-failed idc-codedeploy-helper.service idc-codedeploy-helper-agent.service \
    idc-codedeploy-helper-agent.path >/dev/null 2>&1 || :
fi
if command -v journalctl >/dev/null 2>&1; then
  journalctl --update-catalog >/dev/null 2>&1 || :
fi
