// Who may come in: clients (programs) and users (people), as whoever keeps them hands them over.

export interface Client {
  readonly id: string;
  /** As `hashSecret` or `hashPassword` made it. */
  readonly secretHash: string;
  readonly scopes: readonly string[];
}

export interface User {
  readonly name: string;
  /** As `hashPassword` made it. */
  readonly passwordHash: string;
  readonly scopes: readonly string[];
}

export interface ClientDirectory {
  client(id: string): Promise<Client | undefined>;
}

export interface UserDirectory {
  user(name: string): Promise<User | undefined>;
}

/** A directory of people and programs known at start. */
export function fixedDirectory(
  clients: readonly Client[],
  users: readonly User[],
): ClientDirectory & UserDirectory {
  const clientsById = new Map(clients.map((client) => [client.id, client]));
  const usersByName = new Map(users.map((user) => [user.name, user]));
  return {
    client: async (id) => clientsById.get(id),
    user: async (name) => usersByName.get(name),
  };
}
