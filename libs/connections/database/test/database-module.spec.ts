import { Injectable, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Connections } from '@core-infra/kernel';
import { bootInfra, usePostgres } from '@core-infra/testing';
import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, type Repository } from 'typeorm';
import {
  DatabaseModule,
  DataSource,
  EntityManager,
  getDatabaseToken,
  getRepositoryToken,
  InjectRepository,
  Transactions,
} from '@core-infra/database';

@Entity('orders')
class Order {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('text') title!: string;
  @CreateDateColumn({ type: 'timestamptz' }) createdAt!: Date;
}

@Entity('notes')
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @Column('text') text!: string;
}

@Injectable()
class OrdersService {
  constructor(
    @InjectRepository(Order) readonly orders: Repository<Order>,
    readonly dataSource: DataSource,
    readonly manager: EntityManager,
  ) {}
}

@Module({ imports: [DatabaseModule.forFeature([Order])], providers: [OrdersService], exports: [OrdersService] })
class OrdersModule {}

describe('DatabaseModule', () => {
  const server = usePostgres();

  it('injects DataSource, EntityManager and repositories; forFeature makes its entities known', async () => {
    await using app = await bootInfra(
      DatabaseModule.forRoot({ url: server.url, typeorm: { synchronize: true } }),
      OrdersModule,
    );
    const { orders, dataSource, manager } = app.get(OrdersService);
    const saved = await orders.save({ title: 'first' });
    expect(await manager.findOneByOrFail(Order, { id: saved.id })).toMatchObject({ title: 'first' });
    expect(await dataSource.query('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 1 }]);
    expect(app.get(DataSource)).toBe(dataSource);
  });

  it('serves TypeOrmModule.forFeature of existing code as well', async () => {
    @Injectable()
    class NotesService {
      constructor(@InjectRepository(Note) readonly notes: Repository<Note>) {}
    }
    @Module({ imports: [TypeOrmModule.forFeature([Note])], providers: [NotesService] })
    class NotesModule {}
    await using app = await bootInfra(
      DatabaseModule.forRoot({ url: server.url, typeorm: { synchronize: true } }),
      NotesModule,
    );
    const { notes } = app.get(NotesService, { strict: false });
    expect(await notes.save({ text: 'kept' })).toMatchObject({ id: 1 });
  });

  it('opens several databases by name, each with the entities of its own features', async () => {
    const audit = await server.createDatabase();
    @Injectable()
    class Rebound {
      constructor(readonly dataSource: DataSource) {}
    }
    @Module({ imports: [DatabaseModule.forFeature('audit')], providers: [Rebound], exports: [Rebound] })
    class AuditModule {}
    await using app = await bootInfra(
      DatabaseModule.forRoot({ url: server.url, typeorm: { synchronize: true } }),
      DatabaseModule.forRoot({ name: 'audit', url: audit, typeorm: { synchronize: true } }),
      OrdersModule,
      DatabaseModule.forFeature([Note], 'audit'),
      AuditModule,
    );
    const named = app.get<DataSource>(getDatabaseToken('audit'));
    expect(app.get(Rebound).dataSource).toBe(named);
    const plain = app.get(OrdersService).dataSource;
    expect(plain).not.toBe(named);
    expect(named.entityMetadatas.map(({ name }) => name)).toEqual(['Note']);
    expect(plain.entityMetadatas.map(({ name }) => name)).toEqual(['Order']);
    const notes = app.get<Repository<Note>>(getRepositoryToken(Note, 'audit'));
    expect(await notes.count()).toBe(0);
  });

  it('serves one entity from two databases, and a transaction of one says nothing of the other', async () => {
    const audit = await server.createDatabase();
    await using app = await bootInfra(
      DatabaseModule.forRoot({ url: server.url, typeorm: { synchronize: true } }),
      DatabaseModule.forRoot({ name: 'audit', url: audit, typeorm: { synchronize: true } }),
      DatabaseModule.forFeature([Note]),
      DatabaseModule.forFeature([Note], 'audit'),
    );
    const here = app.get<Repository<Note>>(getRepositoryToken(Note) as never, { strict: false });
    const there = app.get<Repository<Note>>(getRepositoryToken(Note, 'audit') as never, { strict: false });
    const before = await here.count();
    const failing = app.get(Transactions).run(async () => {
      await here.save({ text: 'rolled back' });
      await there.save({ text: 'kept' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect([await here.count(), await there.count()]).toEqual([before, 1]);
  });

  it('contributes a check with version and pool, and an address without credentials', async () => {
    await using app = await bootInfra(DatabaseModule.forRoot({ url: server.url, pool: { max: 3 } }));
    const connections = app.get(Connections);
    const [check] = connections.checks();
    expect(check).toMatchObject({ name: 'postgres', critical: true });
    expect(await check!.run()).toMatchObject({
      version: expect.any(String),
      inRecovery: false,
      pool: { max: 3, waiting: 0 },
    });
    const { hostname, port, pathname } = new URL(server.url);
    expect(connections.list()[0]!.address).toBe(`${hostname}:${port}${pathname}`);
  });
});
