import { ExternalStorage, type StorageDriver } from '@temporalio/common';

/**
 * Clients with an external storage of their own send large payloads as references that nobody here can follow. Unread, each fails the
 * workflow task before any of our code runs, and is retried forever; read like this, it is one more payload that cannot be decoded.
 */
class ForeignStorage extends ExternalStorage {
  override getDriver(): StorageDriver {
    return nowhere;
  }
}

const nowhere: StorageDriver = {
  name: 'nowhere',
  type: 'ostinato.nowhere',
  retrieve: async (_, claims) => claims.map(() => ({ metadata: { encoding: new TextEncoder().encode('a storage that is not ours') } })),
  store: () => Promise.reject(new Error('Nothing is stored here.')),
};

export const foreignStorage = new ForeignStorage({
  drivers: [nowhere],
  driverSelector: () => null,
  payloadSizeThreshold: Number.MAX_SAFE_INTEGER,
});
