'use strict';
// An application in the cloud that uses the shadow client of AWS's second SDK (MQTT 5, classic and
// named shadows).
const { iot, iotshadow, mqtt5 } = require('aws-iot-device-sdk-v2');
const { once } = require('events');
const { Watch, run, tell } = require('./common.js');

const ESTABLISHED = 0; // SubscriptionStatusEventType, which the SDK does not export

function connect(options) {
    const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(
        options.host, options.cert, options.key);
    builder.withPort(Number(options.port));
    builder.withCertificateAuthorityFromPath(undefined, options.ca);
    builder.withConnectProperties({ clientId: options.id, keepAliveIntervalSeconds: 60 });
    return new mqtt5.Mqtt5Client(builder.build());
}

// The same calls for a classic and a named shadow.
function shadowOf(client, options) {
    const at = { thingName: options.thing };
    if (options.shadow === undefined)
        return {
            get: () => client.getShadow(at),
            update: state => client.updateShadow({ ...at, state }),
            updates: () => client.createShadowUpdatedStream(at),
            deltas: () => client.createShadowDeltaUpdatedStream(at),
        };
    at.shadowName = options.shadow;
    return {
        get: () => client.getNamedShadow(at),
        update: state => client.updateNamedShadow({ ...at, state }),
        updates: () => client.createNamedShadowUpdatedStream(at),
        deltas: () => client.createNamedShadowDeltaUpdatedStream(at),
    };
}

async function open(stream, listener) {
    stream.on('incomingPublish', event => listener(event.message));
    const established = new Promise((resolve, reject) => {
        stream.on('subscriptionStatus', event => {
            if (event.type === ESTABLISHED)
                resolve();
            else
                reject(event.error || new Error('the subscription was refused'));
        });
    });
    stream.open();
    await established;
}

run(async options => {
    const watch = new Watch(options);
    const mqtt = connect(options);
    const connected = once(mqtt, 'connectionSuccess');
    mqtt.on('connectionFailure', event => tell('connectionFailure', { reason: String(event.error) }));
    mqtt.start();
    await connected;
    tell('connected');

    const client = iotshadow.IotShadowClientv2.newFromMqtt5(mqtt, {
        maxRequestResponseSubscriptions: 6, maxStreamingSubscriptions: 4, operationTimeoutInSeconds: 10,
    });
    const shadow = shadowOf(client, options);
    const updates = shadow.updates();
    const deltas = shadow.deltas();
    await open(updates, message => watch.whole(message.current.state, message.current.version));
    await open(deltas, message => tell('delta', { version: message.version, state: message.state }));
    try {
        const document = await shadow.get();
        tell('get/accepted', { version: document.version });
        watch.whole(document.state, document.version);
    } catch (error) {
        const modeled = error.modeledError;
        if (!modeled || modeled.code !== 404)
            throw error;
        tell('get/rejected', { code: modeled.code });
    }
    const answer = await shadow.update({ desired: options.desire });
    tell('update/accepted', { version: answer.version });
    watch.wish(answer.version);
    await watch.done;
    updates.close();
    deltas.close();
    client.close();
    const stopped = once(mqtt, 'stopped');
    mqtt.stop();
    await stopped;
    mqtt.close();
});
