/**
 * The journal's name for each event that a person may want explained: by it `journalctl -x` finds the text in
 * systemd/idc-codedeploy-helper.catalog, and in Korean in idc-codedeploy-helper.ko.catalog.
 *
 * An id never changes and is never used for another event: people filter and alert by it. A new event gets a random
 * one (`systemd-id128 new`), a text in both catalogs and a line in docs/events.md; those for `debug` alone have none.
 */
export const MESSAGE_IDS: Readonly<Record<string, string>> = {
  started: "5977d69b20d44ff395a01bab8cbf990a",
  stopped: "7376fc50156a42d4bd5ed008fccb0591",
  config_unknown_key: "dcb7231a3a2b47d6aaf06692d635fea3",
  config_reloaded: "02bcbf7ef2704862ac4edf6a94b86ed5",
  config_rejected: "afd6bee423cc4f65a428e57389c4cbea",
  config_needs_restart: "6dd63687f8d749d4938c9abecf4c0280",
  refresh_succeeded: "383669ee5d5d4486859b2e8972cb510a",
  refresh_recovered: "d9d198e8c1504a7786b1dc0c2b7d4fc7",
  refresh_failed: "af0560ffb8994395bbe90bc8ba27238c",
  duration_not_allowed: "89a79621c0224e8d8c18ea54425796cb",
  clock_skew: "0603f66c52c94ad79790301353ebde00",
  clock_changed: "1b437fbc9ae94e3bbab3fc8ccd33360a",
  schedule_unknown: "4b564bc2c8564f70b07524b0648a6185",
  status_not_written: "d3380f94724549c1ab8c16c44283d050",
  metrics_not_written: "7d77e19a96b940a4957f66d65dd676b2",
  credentials_expired: "564d4e2abb8d42828cea93d9bb30b2fd",
  credentials_file_missing: "d08dd05c6b2644aca09dd685888c43a7",
  credentials_file_foreign: "ba476ef5e27642b2bb2ebf5aa4715ad4",
  agent_sync_unanswered: "f4a134b9aa1f49d6afe3d6bad93a7f8c",
  agent_running: "ae4a78ff4ebc4efeb7e4ce6f25fb8c69",
  agent_not_running: "8048f46fd0a1427aba199210c9b3963e",
  agent_config_mended: "27bf2e75935a4c68981148e0f5e5e41c",
  agent_config_drifted: "b11de5fc46654f0e8d55a52e5e63cd8b",
  agent_config_missing: "0b5ed5df25854a798d8a09f1a696a559",
  agent_config_unknown: "d4fed1c28ea8404dbd9c88b44586489a",
  agent_loaded: "3225b019254f47a4a8e1aa207ab41ad1",
  agent_reload_deferred: "8faf1629d5b64051a359733316d91aa1",
  agent_reload_failed: "7909bde015234e689b513dc86e756438",
  agent_reload_off: "d3bbeb108f724bcd85b07ea583ca123b",
  agent_config_not_repaired: "115fceab292a46cfa559ec433057329f",
  agent_config_repaired: "41912e5a87eb4fd0b565ec883b320730",
  agent_reloaded: "75d22e8530994222ae2f3a9cd869f77c",
  agent_restart: "1d4ec899157c40c7989f3b5c056e0506",
};
