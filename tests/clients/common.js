'use strict';
// What the applications in the cloud have in common: options, the story told on stdout as one JSON
// object a line, the end.
//
//   --host H --port N --ca FILE --cert FILE --key FILE --id CLIENT-ID --thing T [--shadow N]
//   --desire JSON    write this to desired
//   --expect JSON    wait until reported has these values
//   --settled        and desired has none of them any more
//   --timeout SEC    fail after so long (90)

function readOptions() {
    const options = { timeout: '90' };
    const words = process.argv.slice(2);
    while (words.length > 0) {
        const word = words.shift();
        if (!word.startsWith('--'))
            throw new Error(`what is ${word}?`);
        options[word.slice(2)] = word === '--settled' ? true : words.shift();
    }
    for (const name of ['host', 'port', 'ca', 'cert', 'key', 'id', 'thing', 'desire', 'expect'])
        if (options[name] === undefined)
            throw new Error(`--${name} is missing`);
    options.desire = JSON.parse(options.desire);
    options.expect = JSON.parse(options.expect);
    return options;
}

function tell(event, more) {
    process.stdout.write(JSON.stringify({ event, ...more }) + '\n');
}

// aws-crt keeps threads that would not let the process end by itself.
function end(status) {
    process.stdout.write('', () => process.exit(status));
}

function fail(error) {
    tell('failed', { reason: String(error && error.message ? error.message : error) });
    end(1);
}

function holds(section, values) {
    return Object.entries(values).every(
        ([key, value]) => JSON.stringify((section || {})[key]) === JSON.stringify(value));
}

// Follows the shadow's state: from whole documents, or from what accepted updates name.
class Watch {
    constructor(options) {
        this.options = options;
        this.state = { desired: {}, reported: {} };
        this.version = 0;
        this.wished = null; // the version of the wish; only what is newer can be an answer to it
        this.done = new Promise(resolve => { this.resolve = resolve; });
    }

    whole(state, version) {
        this.state = { desired: {}, reported: {}, ...state };
        this.judge(version);
    }

    wish(version) {
        this.wished = version;
        this.judge(this.version);
    }

    change(state, version) {
        for (const section of ['desired', 'reported']) {
            const change = (state || {})[section];
            if (change === null)
                this.state[section] = {};
            for (const [key, value] of Object.entries(change || {})) {
                if (value === null)
                    delete this.state[section][key];
                else
                    this.state[section][key] = value;
            }
        }
        this.judge(version);
    }

    judge(version) {
        const { expect, settled } = this.options;
        this.version = Math.max(this.version, version);
        if (this.wished === null || this.version <= this.wished)
            return;
        const wished = Object.keys(expect).some(key => key in this.state.desired);
        if (!holds(this.state.reported, expect) || (settled && wished))
            return;
        tell('reported', { version, reported: this.state.reported, desired: this.state.desired });
        this.resolve();
    }
}

function run(application) {
    try {
        const options = readOptions();
        setTimeout(() => fail(`nothing after ${options.timeout} s`), Number(options.timeout) * 1000);
        application(options).then(() => end(0), fail);
    } catch (error) {
        fail(error);
    }
}

module.exports = { Watch, run, tell };
