'use strict';
// An application in the cloud that uses thingShadow of AWS's first SDK (MQTT 3.1.1, classic shadows).
const awsIot = require('aws-iot-device-sdk');
const { Watch, run, tell } = require('./common.js');

run(options => new Promise((resolve, reject) => {
    const watch = new Watch(options);
    const shadows = awsIot.thingShadow({
        host: options.host, port: Number(options.port), clientId: options.id,
        caPath: options.ca, certPath: options.cert, keyPath: options.key,
    });
    let token = null;
    let step = 'get';

    const finish = () => {
        shadows.unregister(options.thing);
        shadows.end(false, resolve);
    };
    shadows.on('error', reject);
    shadows.on('connect', () => {
        if (token !== null)
            return;
        tell('connected');
        shadows.register(options.thing, {}, error => {
            if (error)
                return reject(error);
            token = shadows.get(options.thing);
        });
    });
    shadows.on('timeout', (thing, which) => reject(new Error(`no answer to ${step} ${which}`)));
    shadows.on('delta', (thing, delta) => tell('delta', { version: delta.version, state: delta.state }));
    shadows.on('foreignStateChange', (thing, operation, change) => {
        if (operation === 'update')
            watch.change(change.state, change.version);
    });
    shadows.on('status', (thing, status, which, answer) => {
        if (which !== token)
            return;
        tell(`${step}/${status}`, { version: answer.version, code: answer.code });
        if (step === 'get') {
            if (status === 'accepted')
                watch.whole(answer.state, answer.version);
            step = 'update';
            token = shadows.update(options.thing, { state: { desired: options.desire } });
        } else if (status === 'accepted') {
            watch.change(answer.state, answer.version);
            watch.wish(answer.version);
            watch.done.then(finish);
        } else {
            reject(new Error(answer.message));
        }
    });
}));
