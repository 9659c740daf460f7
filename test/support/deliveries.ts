// Deliveries with their payloads, which lists leave out.
import type { Delivery, DeliveryFilter, MessageReader } from '../../engine/storage/message-store.ts';

export async function wholeDeliveries(
  messages: Pick<MessageReader, 'delivery' | 'deliveries'>,
  filter: Partial<DeliveryFilter> = {},
): Promise<readonly Delivery[]> {
  const { items } = await messages.deliveries({ limit: 100, offset: 0, ...filter });
  const found = await Promise.all(items.map(({ id }) => messages.delivery(id)));
  return found.filter((one) => one !== undefined);
}
