import { DataSource } from '@core-infra/database';
import { useOrdersApi } from './support/orders-api.js';

describe('users', () => {
  const api = useOrdersApi();
  const sql = (text: string, ...values: unknown[]): Promise<any[]> =>
    api.app.get(DataSource, { strict: false }).query(text, values);
  const ada = {
    first_name: ' Ada ',
    last_name: 'Lovelace',
    email: 'Ada@Example.com',
    phone: '+44 20 7946 0000',
    password: 'correct horse',
  };

  it('are created, found by id and by email, and never shown with their password', async () => {
    const { status, body } = await api.send('POST', '/users', ada);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      first_name: 'Ada',
      last_name: 'Lovelace',
      email: 'ada@example.com',
      phone: '+44 20 7946 0000',
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(Math.abs(Date.parse(body.created_at) - Date.now())).toBeLessThan(60_000);
    expect((await api.get(`/users/${body.id}`)).body).toEqual(body);
    expect((await api.get('/users/by-email?email=ADA@example.com')).body).toEqual(body);
    const [{ password }] = await sql('SELECT password FROM users WHERE id = $1', body.id);
    expect(password).toMatch(/^scrypt\$32768\$8\$3\$/);
    expect(password.length).toBeLessThanOrEqual(255);
    expect(await api.send('POST', '/users', ada)).toMatchObject({ status: 409, body: { error_code: 'EMAIL_TAKEN' } });
    expect(await api.get('/users/by-email?email=nobody@example.com')).toMatchObject({
      status: 404,
      body: { details: { resource_type: 'User', resource_id: 'nobody@example.com' } },
    });
  });

  it('change the part of their profile that is given', async () => {
    const user = await api.user();
    const changed = await api.send('PATCH', `/users/${user.id}`, { last_name: 'Byron' });
    expect(changed.body).toMatchObject({ first_name: 'Ada', last_name: 'Byron', phone: null });
    expect(Date.parse(changed.body.updated_at)).toBeGreaterThanOrEqual(Date.parse(user.updated_at));
    await api.send('PATCH', `/users/${user.id}`, { phone: '12345' });
    expect((await api.send('PATCH', `/users/${user.id}`, { phone: null })).body.phone).toBeNull();
    expect((await api.send('PATCH', `/users/${user.id}`, {})).body.last_name).toBe('Byron');
    expect(
      (await api.send('PATCH', `/users/${user.id}`, { email: 'x@example.com' })).body.details.field_errors,
    ).toEqual({
      email: 'should not exist',
    });
    const nobody = '0198a7c4-0000-7000-8000-000000000000';
    expect((await api.send('PATCH', `/users/${nobody}`, { last_name: 'X' })).status).toBe(404);
    expect((await api.send('PATCH', `/users/${nobody}`, {})).status).toBe(404);
  });

  it('change their password knowing the current one', async () => {
    const user = await api.user();
    const change = (current_password: string, new_password: string) =>
      api.send('PUT', `/users/${user.id}/password`, { current_password, new_password });
    expect(await change('wrong', 'new password')).toMatchObject({
      status: 403,
      body: { error_code: 'WRONG_PASSWORD' },
    });
    expect((await change('correct horse', 'new password')).status).toBe(204);
    expect((await change('correct horse', 'another one')).status).toBe(403);
    expect((await change('new password', 'short')).body.details.field_errors).toHaveProperty('new_password');
    const both = await Promise.all([change('new password', 'password one'), change('new password', 'password two')]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 403]);
  });

  it('show their public profiles by a list of ids, in its order', async () => {
    const [one, two] = [await api.user(), await api.user()];
    const unknown = '0198a7c4-0000-7000-8000-000000000000';
    const { body } = await api.get(`/users/public-profiles?ids=${two.id},${unknown},${one.id}`);
    expect(body).toEqual({
      items: [two, one].map(({ id, first_name, last_name }) => ({ id, first_name, last_name })),
    });
    expect((await api.get('/users/public-profiles?ids=1,2')).status).toBe(422);
    expect((await api.get('/users/public-profiles')).status).toBe(422);
  });

  it('stand in the table that the reference describes', async () => {
    const columns = await sql(
      `SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
       FROM information_schema.columns WHERE table_name = 'users' ORDER BY ordinal_position`,
    );
    expect(columns.map(column => Object.values(column))).toEqual([
      ['id', 'uuid', null, 'NO', 'gen_random_uuid()'],
      ['first_name', 'character varying', 100, 'NO', null],
      ['last_name', 'character varying', 100, 'NO', null],
      ['email', 'character varying', 100, 'NO', null],
      ['phone', 'character varying', 20, 'YES', expect.stringContaining('NULL')],
      ['password', 'character varying', 255, 'NO', null],
      ['created_at', 'timestamp without time zone', null, 'YES', 'now()'],
      ['updated_at', 'timestamp without time zone', null, 'YES', 'now()'],
    ]);
    expect(await sql(`SELECT 1 FROM pg_indexes WHERE indexname = 'idx_users_email'`)).toHaveLength(1);
  });

  it.each([
    ['a name of null', 'PATCH', { first_name: null }, 'first_name'],
    ['a name with a NUL', 'PATCH', { last_name: 'Love\0lace' }, 'last_name'],
  ])('refuse %s before it reaches the database', async (_name, method, body, field) => {
    const { id } = await api.user();
    expect(await api.send(method, `/users/${id}`, body)).toMatchObject({
      status: 422,
      body: { details: { field_errors: { [field]: expect.any(String) } } },
    });
  });
});
