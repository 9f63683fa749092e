/** Whatever keeps the agent's credentials fresh on a host. */
export interface Program {
  /** @param agentMayStart for a program that the agent is ordered after; the others call it at once */
  boot(agentMayStart: () => void): void;
  /** The power goes, or the program is taken away: nothing of it goes on. */
  lose(): void;
  killDaemon(atCall?: number): void;
  killChild(atCall?: number): void;
  killOneshot(atCall?: number): void;
  /** Its own config file is edited; the service is told of it only by {@link takeUpConfig}. */
  editConfig(text: string): void;
  /** `systemctl reload`, or a start where it is down. */
  takeUpConfig(): void;
}
