// send: hands in something to be sent to a destination when the flow is done.

/** @param {object} RED Node-RED's API */
export default function (RED) {
  const kit = RED.settings.kiungo;

  RED.nodes.registerType('send', function Send(config) {
    RED.nodes.createNode(this, config);
    const property = config.property || 'payload';
    this.on('input', (message, send, done) => {
      try {
        const body = RED.util.getMessageProperty(message, property);
        kit.send(message, {
          destination: config.destination ?? '',
          lane: config.lane ?? '',
          contentType: config.contentType || 'text/plain',
          map: (config.map || '').trim(),
          receiver: config.receiver ?? '',
          body,
        });
        send(message);
        done();
      } catch (error) {
        done(error);
      }
    });
  });
}
