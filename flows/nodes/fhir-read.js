// fhir read: reads resources by reference or by search, at once.

/** @param {object} RED Node-RED's API */
export default function (RED) {
  const kit = RED.settings.kiungo;

  RED.nodes.registerType('fhir read', function FhirRead(config) {
    RED.nodes.createNode(this, config);
    const property = config.property || 'payload';
    this.on('input', async (message, send, done) => {
      try {
        const found = await kit.read(config.query ?? '', message, config.optional === true);
        RED.util.setMessageProperty(message, property, config.single ? found[0] : found, true);
        send(message);
        done();
      } catch (error) {
        done(error);
      }
    });
  });
}
