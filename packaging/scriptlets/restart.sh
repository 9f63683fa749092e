# Everything is in place. A service that runs gets the new version, but only once that has found its configuration
# right: the old process works on otherwise. The agent is not touched, and the credentials file stays as it is.
# One that is still starting counts, too (up to 45 s while STS cannot be reached, as at a boot): is-active says no of it.
state=
[ ! -d /run/systemd/system ] ||
  state=$(systemctl show --property=ActiveState --value idc-codedeploy-helper.service 2>/dev/null) || :
case $state in active | activating | reloading) runs=yes ;; *) runs= ;; esac
if [ -n "$runs" ]; then
  if report=$(/usr/bin/idc-helper check-config 2>&1); then
    systemctl try-restart idc-codedeploy-helper-agent.path || :
    systemctl try-restart idc-codedeploy-helper.service ||
      echo "idc-codedeploy-helper: the new version did not start; see: journalctl -u idc-codedeploy-helper" >&2
  else
    echo "$report" >&2
    echo "idc-codedeploy-helper: the new version refuses its configuration, so the old process was left running." >&2
    echo "Mend it, then: idc-helper check-config && systemctl restart idc-codedeploy-helper" >&2
  fi
fi
