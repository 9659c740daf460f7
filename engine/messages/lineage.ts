// What a message or a delivery led to, and what led to it: across copies, resources, events for flows and what flows sent.
import { notFound } from '../kernel/outcomes.ts';
import type { Delivery, MessageReader, MessageRecord } from '../storage/message-store.ts';
import { answeredBy, responseKey } from './responses.ts';

export interface LineageNode {
  readonly kind: 'message' | 'delivery' | 'resource';
  /** Of a resource: `Type/id/_history/version`. */
  readonly id: string;
  readonly state?: string;
  /** The channel of a message, the destination of a delivery. */
  readonly place?: string;
}

export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  /** mended: a copy with other bytes. stored: made by the maps. caused: an event, or a thing to send. answered: its receiver's response. */
  readonly how: 'mended' | 'stored' | 'caused' | 'answered';
}

export interface Lineage {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** There is more than is shown. */
  readonly isCut?: true;
}

/** No story has more to tell at once. */
const mostNodes = 500;

/** `id` is a message's or a delivery's. Throws Refusal `not-found`. */
export async function lineageOf(id: string, messages: MessageReader): Promise<Lineage> {
  const story = new Story(messages);
  if (!(await story.tell(id))) throw notFound('message or delivery', id);
  return story.lineage();
}

const versioned = /^[A-Z][A-Za-z]*\/[A-Za-z0-9.-]+\/_history\/[0-9]+$/;

class Story {
  readonly #messages: MessageReader;
  readonly #nodes = new Map<string, LineageNode>();
  readonly #edges: LineageEdge[] = [];
  #isCut = false;

  constructor(messages: MessageReader) {
    this.#messages = messages;
  }

  /** False when there is nothing of this id. */
  async tell(id: string): Promise<boolean> {
    const origin = await this.#found(id);
    if (origin === undefined) return false;
    await this.#downFrom(await this.#topOf(origin));
    return true;
  }

  lineage(): Lineage {
    const found = { nodes: [...this.#nodes.values()], edges: this.#edges };
    return this.#isCut ? { ...found, isCut: true } : found;
  }

  /** Up to where the story began: what came from outside, or what nothing here explains. */
  async #topOf(start: LineageNode): Promise<LineageNode> {
    let top = start;
    const passed = new Set<string>();
    while (!passed.has(top.id)) {
      passed.add(top.id);
      const above = await this.#above(top);
      if (above === undefined) return top;
      top = above;
    }
    return top;
  }

  async #above(node: LineageNode): Promise<LineageNode | undefined> {
    if (node.kind === 'message') {
      const message = await this.#messages.message(node.id);
      const before = message?.replayOf ?? (message && answeredBy(message));
      return before === undefined ? undefined : this.#found(before);
    }
    if (node.kind === 'resource') return this.#writerOf(node.id, undefined);
    const delivery = await this.#messages.delivery(node.id);
    if (delivery === undefined) return undefined;
    return (await this.#found(delivery.cause)) ?? this.#writerOf(delivery.cause, delivery.createdAt);
  }

  /** The message whose maps made this version; among the newest that came before it was told. */
  async #writerOf(effect: string, before: number | undefined): Promise<LineageNode | undefined> {
    if (!versioned.test(effect)) return undefined;
    const to = before === undefined ? {} : { to: before + 1 };
    const { items } = await this.#messages.messages({ effect, ...to, limit: 1, offset: 0 });
    return items[0] && messageNode(items[0]);
  }

  async #found(id: string): Promise<LineageNode | undefined> {
    const message = await this.#messages.message(id);
    if (message !== undefined) return messageNode(message);
    const delivery = await this.#messages.delivery(id);
    return delivery && deliveryNode(delivery);
  }

  async #downFrom(top: LineageNode): Promise<void> {
    const open = [top];
    this.#nodes.set(top.id, top);
    for (let node = open.shift(); node !== undefined; node = open.shift()) {
      for (const [how, child] of await this.#below(node)) {
        this.#edges.push({ from: node.id, to: child.id, how });
        if (this.#nodes.has(child.id)) continue;
        if (this.#nodes.size >= mostNodes) {
          this.#isCut = true;
          return;
        }
        this.#nodes.set(child.id, child);
        open.push(child);
      }
    }
  }

  /** Messages that a receiver's responses were taken in as. */
  async #answersTo(id: string): Promise<readonly Step[]> {
    const keys = [{ name: responseKey, value: id }];
    const { items } = await this.#messages.messages({ keys, limit: mostNodes, offset: 0 });
    return items.map((answer) => ['answered', messageNode(answer)] as const);
  }

  async #below({ kind, id }: LineageNode): Promise<readonly Step[]> {
    const { items } = await this.#messages.deliveries({ cause: id, limit: mostNodes, offset: 0 });
    const caused = items.map((delivery) => ['caused', deliveryNode(delivery)] as const);
    if (kind === 'delivery') return [...caused, ...(await this.#answersTo(id))];
    if (kind !== 'message') return caused;
    const effects = (await this.#messages.message(id))?.effects ?? [];
    const stored = effects.map((effect) => ['stored', { kind: 'resource', id: effect }] as const);
    const copies = await this.#messages.messages({ replayOf: id, limit: mostNodes, offset: 0 });
    return [...copies.items.map((copy) => ['mended', messageNode(copy)] as const), ...stored, ...caused];
  }
}

type Step = readonly [LineageEdge['how'], LineageNode];

const messageNode = ({ id, state, channel }: MessageRecord): LineageNode => ({
  kind: 'message',
  id,
  state,
  place: channel,
});

const deliveryNode = ({
  id,
  state,
  destination,
}: Pick<Delivery, 'id' | 'state' | 'destination'>): LineageNode => ({
  kind: 'delivery',
  id,
  state,
  place: destination,
});
