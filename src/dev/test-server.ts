/** The time-skipping test server: downloaded by Temporal's SDK, or its Java release wrapped as an executable. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../contract/failure.js';
import { provide, type CacheOptions, type Way } from './executable.js';
import { findOnPath, run } from './program.js';
import { withProgress } from './progress.js';
import { sdkDownload } from './sdk-download.js';

const version = '1.38.0';

/**
 * Path of an executable for `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })`.
 *
 * @throws `Connection.Failed`, with what to install, when none can be had
 */
export async function findTestServer(options: CacheOptions): Promise<string> {
  const provided = await provide('temporal-test-server', [sdkDownload("Temporal's test server", 'createTimeSkipping'), fromMaven], options);
  if ('path' in provided) return provided.path;
  throw fail(
    'Connection.Failed',
    `Temporal's time-skipping test server could not be fetched (${provided.reasons.join('; ')}). Install Java 11 or newer and Maven, so that ` +
      '`java` and `mvn` are on the PATH, or let this machine reach the download; then try again.',
    { details: provided.reasons },
  );
}

const fromMaven: Way = {
  name: 'Maven',
  async make(path, { env, onProgress }) {
    if (process.platform === 'win32') throw new Error('only the download works on Windows');
    const java = await findOnPath('java', env);
    const maven = await findOnPath('mvn', env);
    if (!java || !maven) throw new Error(`\`${java ? 'mvn' : 'java'}\` is not installed`);
    await run(java, ['-version'], { env, timeoutMs: 20_000 });
    const directory = dirname(path);
    await writeFile(join(directory, 'pom.xml'), pom);
    await withProgress(
      onProgress,
      () => "Fetching Temporal's test server with Maven, once",
      () =>
        run(maven, ['-B', '-q', '-f', 'pom.xml', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'], {
          env,
          cwd: directory,
          timeoutMs: 10 * 60_000,
        }),
    );
    await writeFile(path, wrapper, { mode: 0o755 });
  },
};

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>ostinato</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

/** It becomes Java, so that ending it ends the server. The SDK waits five seconds for it: the flags are for a quick start. */
const wrapper = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -cp "\${0%/*}/lib/*" io.temporal.testserver.TestServer "$@"
`;
