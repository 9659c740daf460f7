// fhir write: hands in a resource to be written when the flow is done.

/** @param {object} RED Node-RED's API */
export default function (RED) {
  const kit = RED.settings.kiungo;

  RED.nodes.registerType('fhir write', function FhirWrite(config) {
    RED.nodes.createNode(this, config);
    const property = config.property || 'payload';
    this.on('input', (message, send, done) => {
      try {
        const given = RED.util.getMessageProperty(message, property);
        const resource = kit.write(this, message, given);
        RED.util.setMessageProperty(message, property, resource, true);
        message.reference = `${resource.resourceType}/${resource.id}`;
        send(message);
        done();
      } catch (error) {
        done(error);
      }
    });
  });
}
