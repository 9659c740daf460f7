// fhir event: starts the flow when a resource that matches the criteria is created, updated or deleted.

/** @param {object} RED Node-RED's API */
export default function (RED) {
  const kit = RED.settings.kiungo;

  RED.nodes.registerType('fhir event', function FhirEvent(config) {
    RED.nodes.createNode(this, config);
    const subscription = {
      kind: 'resource',
      name: (config.subscription ?? '').trim() || this.id,
      criteria: (config.criteria ?? '').trim(),
    };
    if (subscription.criteria === '') {
      this.status({ fill: 'red', shape: 'ring', text: 'no criteria' });
      return;
    }
    try {
      kit.listen(this, subscription, Math.max(1, Number(config.maxInFlight) || 1));
    } catch (error) {
      this.status({ fill: 'red', shape: 'ring', text: error.message });
      this.error(error);
    }
    this.on('close', () => kit.unlisten(this));
  });
}
