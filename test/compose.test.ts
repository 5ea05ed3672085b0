/** The composition for real use, as far as its files tell. `npm run test:stack` brings its parts up. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../src/config.js';
import { searchAttributeTypes } from '../src/contract/names.js';
import { dynamicConfig } from '../src/dev/server-process.js';
import { exampleVariables, rawCompose, readCompose, root } from './support/compose.js';

const example = exampleVariables();
const { services, volumes } = readCompose({ ...example, POSTGRES_PASSWORD: 'first', STORE_PASSWORD: 'second' });
const raw = rawCompose().services;
const each = Object.entries(services);
const pinned = /^[\w./-]+:\d+\.\d+(\.\d+)?(-\w+)*$/;

test('ports are open to this machine only', () => {
  const ports = each.flatMap(([, { ports }]) => ports ?? []);

  expect(ports.length).toBeGreaterThan(2);
  expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
});

test('every image is pinned to a release, or built here; none is deprecated', () => {
  expect(each.filter(([, { image, build }]) => build === undefined && !pinned.test(image)).map(([name]) => name)).toEqual([]);
  expect(each.filter(([, { image }]) => image.includes('auto-setup')).map(([name]) => name)).toEqual([]);
});

test('the version of Temporal stands in one place, for the server and its tools', () => {
  const files = ['docker-compose.yml', 'Dockerfile', 'package.json', 'deploy/temporal/dynamicconfig.yaml', 'docs/operations.md'];
  const images = each.map(([, { image }]) => image).filter((image) => /^temporalio\/(server|admin-tools):/.test(image));

  expect(new Set(images.map((image) => image.split(':')[1]))).toEqual(new Set([example.TEMPORAL_VERSION]));
  expect(files.filter((file) => read(file).includes(example.TEMPORAL_VERSION!))).toEqual([]);
});

describe('secrets', () => {
  const secret = /PASSWORD|PWD|SECRET|TOKEN|KEY|URL/;

  test('none has a value of ours', () => {
    const values = Object.values(raw).flatMap(({ environment = {} }) => Object.entries(environment).filter(([name]) => secret.test(name)));

    expect(values.length).toBeGreaterThan(4);
    expect(values.filter(([, value]) => !/\$\{\w+:\?[^}]+\}/.test(value))).toEqual([]);
    expect(Object.entries(example).filter(([name, value]) => secret.test(name) && value !== '')).toEqual([]);
  });

  test.each(['POSTGRES_PASSWORD', 'STORE_PASSWORD', 'TEMPORAL_VERSION'])('without %s the file is refused, and says what to do', (name) => {
    const given = { ...example, POSTGRES_PASSWORD: 'first', STORE_PASSWORD: 'second' };

    expect(() => readCompose({ ...given, [name]: '' })).toThrow('Copy .env.example to .env');
  });

  test('workers know nothing but their own, and the files with them stay here', () => {
    expect(Object.values(services.worker!.environment!).join()).not.toContain('first');
    expect(services.worker!.env_file).toEqual([{ path: 'worker.env', required: false }]);
    expect(read('.gitignore').split('\n')).toEqual(expect.arrayContaining(['.env', 'worker.env']));
    // Nothing goes into the image but what is named.
    expect(read('.dockerignore')).toMatch(/^\*$/m);
    expect(read('.dockerignore')).not.toMatch(/^!.*\.env$/m);
  });
});

test('whoever waits for a service waits for one that is there and can become what it waits for', () => {
  const waits = each.flatMap(([name, { depends_on = {} }]) =>
    Object.entries(depends_on).map(([other, { condition }]) => ({ name, other, condition })),
  );
  const can: { [condition: string]: (service: string) => boolean } = {
    service_healthy: (service) => services[service]?.healthcheck !== undefined,
    service_completed_successfully: (service) => services[service]?.restart?.startsWith('on-failure') === true,
  };

  expect(waits.filter(({ other, condition }) => can[condition]?.(other) !== true)).toEqual([]);
});

test('every service is started again when it ends, and those that do one thing only when they failed', () => {
  expect(each.map(([name, { restart }]) => `${name} ${restart}`).sort()).toEqual([
    'namespace on-failure:5',
    'postgres unless-stopped',
    'schema on-failure:5',
    'temporal unless-stopped',
    'ui unless-stopped',
    'worker unless-stopped',
  ]);
});

test('what is mounted is here, or is a volume of its own', () => {
  const sources = each.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));

  expect(sources.filter((source) => !(source in volumes) && !existsSync(join(root, source)))).toEqual([]);
});

test('the worker is told only what it reads, and its store is not in a database of Temporal', () => {
  const { environment = {} } = services.worker!;
  const known: readonly string[] = settings.map(({ name }) => name);

  expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
  expect(environment.OSTINATO_STORE_URL).toBe('postgresql://ostinato:second@postgres:5432/ostinato');
  expect(read('deploy/postgres/store.sql')).toContain('CREATE DATABASE ostinato OWNER ostinato');
});

test('variables that may be set are in .env.example, and no others', () => {
  const used = [...read('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
  const named = [...read('.env.example').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name);

  expect(new Set(named)).toEqual(new Set(used));
});

test('the namespace gets the search attributes that runs set', () => {
  const script = services.namespace!.command!.join('\n').replace(/\\\n\s*/g, '');
  const registered = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);

  expect(Object.fromEntries(registered)).toEqual(searchAttributeTypes);
  expect(script).toContain('--retention 30d');
});

test('the server is as fast as the one that `dev` starts', () => {
  const { DYNAMIC_CONFIG_FILE_PATH } = services.temporal!.environment!;
  const [source, target] = services.temporal!.volumes![0]!.split(':') as [string, string];
  const config = parse(read(DYNAMIC_CONFIG_FILE_PATH!.replace(target, source))) as { [key: string]: { value: unknown }[] };

  expect(Object.fromEntries(Object.entries(config).map(([key, [first]]) => [key, first!.value]))).toMatchObject(dynamicConfig);
});

describe('the Dockerfile', () => {
  const stages = read('Dockerfile')
    .split(/^(?=FROM )/m)
    .filter((stage) => stage.startsWith('FROM '));

  test('is built from releases', () => {
    const bases = stages.map((stage) => /^FROM (\S+)/.exec(stage)?.[1] ?? '');

    expect(bases.filter((base) => !pinned.test(base))).toEqual([]);
  });

  test('does not run as root, knows whether the worker works, and has no compiler in it', () => {
    const last = stages.at(-1)!;

    expect(/^USER (?!root|0)\w+$/m.test(last)).toBe(true);
    expect(last).not.toMatch(/^RUN .*npm/m);
    expect(/^HEALTHCHECK[^"]*"\$\(find (\S+) /m.exec(last)?.[1]).toBe(/--health-file", "([^"]+)"/.exec(last)?.[1]);
  });

  test('copies what is there and what .dockerignore lets through', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) => files!.split(' '));
    const allowed = read('.dockerignore').split('\n');

    expect(copied.length).toBeGreaterThan(4);
    expect(copied.filter((file) => !existsSync(join(root, file)) || !allowed.includes(`!${file}`))).toEqual([]);
  });
});

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
