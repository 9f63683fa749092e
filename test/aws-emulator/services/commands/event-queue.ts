/**
 * The lifecycle events of every host: queued, handed to a poll, acknowledged, ended. A command that was handed
 * out and never acknowledged goes back into the queue, because an agent may be replaced between the two.
 */
import { EventEmitter } from "node:events";
import { randomCharacters } from "../../identity/generated.ts";
import type { EventSpec, LifecycleEvent } from "./lifecycle-event.ts";
import { commandIdentifier, eventSpecSchema } from "./lifecycle-event.ts";

interface Waiter {
  readonly hostIdentifier: string;
  resolve(event: LifecycleEvent | null): void;
}

export class EventQueue {
  /** Emits "change" with the event after each change of it. */
  readonly changes = new EventEmitter<{ change: [LifecycleEvent] }>();
  readonly #events = new Map<string, LifecycleEvent>();
  readonly #waiters = new Set<Waiter>();
  readonly #redeliveries = new Set<NodeJS.Timeout>();

  add(spec: EventSpec, account: string): LifecycleEvent {
    const { hostIdentifier, name, script, deploymentId } = eventSpecSchema.parse(spec);
    const deployment = deploymentId ?? `d-${randomCharacters("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 9)}`;
    const deploymentExecutionId = `CodeDeploy/ap-northeast-2/Prod/arn:aws:sds:ap-northeast-2:${account}:deployment/${deployment}`;
    const event: LifecycleEvent = {
      id: commandIdentifier({ deploymentExecutionId, hostIdentifier, name }, this.#events.size + 1),
      hostIdentifier,
      name,
      script,
      deploymentId: deployment,
      deploymentExecutionId,
      state: "queued",
      deliveries: 0,
      queuedAt: new Date(),
      polledAt: null,
      acknowledgedAt: null,
      endedAt: null,
      diagnostics: null,
    };
    this.#update(event);
    this.#offer(event.id);
    return event;
  }

  get(id: string): LifecycleEvent | undefined {
    return this.#events.get(id);
  }

  all(): LifecycleEvent[] {
    return [...this.#events.values()];
  }

  /** The next event for the host: at once if one is queued, else the first to come, else null after the hold. */
  async take(
    hostIdentifier: string,
    holdMs: number,
    clientGone: AbortSignal,
  ): Promise<LifecycleEvent | null> {
    if (clientGone.aborted) return null;
    const { promise, resolve } = Promise.withResolvers<LifecycleEvent | null>();
    const waiter: Waiter = { hostIdentifier, resolve };
    const giveUp = (): void => resolve(null);
    const timer = setTimeout(giveUp, holdMs);
    clientGone.addEventListener("abort", giveUp, { once: true });
    this.#waiters.add(waiter);
    for (const event of this.all()) this.#offer(event.id);
    return promise.finally(() => {
      clearTimeout(timer);
      clientGone.removeEventListener("abort", giveUp);
      this.#waiters.delete(waiter);
    });
  }

  /** Redelivers the event after `withinMs` unless it has been acknowledged by then. */
  expectAcknowledgement(id: string, withinMs: number): void {
    const timer = setTimeout(() => {
      this.#redeliveries.delete(timer);
      const event = this.#events.get(id);
      if (event?.state !== "polled") return;
      this.#update({ ...event, state: "queued" });
      this.#offer(id);
    }, withinMs);
    this.#redeliveries.add(timer);
  }

  acknowledge(id: string): LifecycleEvent | undefined {
    const event = this.#events.get(id);
    if (event === undefined || event.endedAt !== null) return event;
    return this.#update({ ...event, state: "acknowledged", acknowledgedAt: new Date() });
  }

  end(id: string, state: "succeeded" | "failed", diagnostics: string | null): void {
    const event = this.#events.get(id);
    if (event !== undefined) this.#update({ ...event, state, diagnostics, endedAt: new Date() });
  }

  /** Forgets every event and lets waiting polls go empty-handed. */
  clear(): void {
    for (const waiter of this.#waiters) waiter.resolve(null);
    for (const timer of this.#redeliveries) clearTimeout(timer);
    this.#redeliveries.clear();
    this.#events.clear();
  }

  #offer(id: string): void {
    const event = this.#events.get(id);
    if (event?.state !== "queued") return;
    const waiter = [...this.#waiters].find(({ hostIdentifier }) => hostIdentifier === event.hostIdentifier);
    if (waiter === undefined) return;
    this.#waiters.delete(waiter);
    const deliveries = event.deliveries + 1;
    waiter.resolve(this.#update({ ...event, state: "polled", deliveries, polledAt: new Date() }));
  }

  #update(event: LifecycleEvent): LifecycleEvent {
    this.#events.set(event.id, event);
    this.changes.emit("change", event);
    return event;
  }
}
