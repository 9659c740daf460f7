// hl7 in: starts the flow when a message of the chosen channel and type has been kept.

/** @param {object} RED Node-RED's API */
export default function (RED) {
  const kit = RED.settings.kiungo;

  RED.nodes.registerType('hl7 in', function Hl7In(config) {
    RED.nodes.createNode(this, config);
    const subscription = {
      kind: 'message',
      name: (config.subscription ?? '').trim() || this.id,
      channel: (config.channel ?? '').trim(),
      messageType: (config.messageType ?? '').trim(),
    };
    try {
      kit.listen(this, subscription, Math.max(1, Number(config.maxInFlight) || 1));
    } catch (error) {
      this.status({ fill: 'red', shape: 'ring', text: error.message });
      this.error(error);
    }
    this.on('close', () => kit.unlisten(this));
  });
}
