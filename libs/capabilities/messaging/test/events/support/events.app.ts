import { Controller, Module } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { Type } from 'class-transformer';
import { IsDate, IsIn, IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { defineEvent, MessagingModule, Receive, Subscribe } from '../../../src/index.js';

class Line {
  @IsString() sku!: string;
  @IsInt() @Min(1) count!: number;
}

class Order {
  @IsString() id!: string;
  @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
  @IsDate() @Type(() => Date) at!: Date;
  @IsOptional() @IsIn(['web', 'shop']) from?: string;
}

class Receipt {
  @IsString() id!: string;
}

const placed = defineEvent('orders.placed', { version: 2, schema: Order, upcast: { 1: data => data } });
const paid = defineEvent('orders.paid', { schema: Receipt });
const resize = defineEvent('pictures.resize', { schema: Receipt });
const bytes = defineEvent('pictures.made', { schema: Buffer as never });

@Controller()
class StockHandlers {
  @Subscribe(placed, { group: 'stock' })
  reserve(@Payload() order: Order): string {
    return order.id;
  }

  @Receive(resize)
  resize(@Payload() receipt: Receipt): string {
    return receipt.id;
  }

  @EventPattern('legacy.changed')
  legacy(@Payload() data: object): string {
    return typeof data;
  }
}

@Module({
  imports: [
    MessagingModule.forRoot({
      defaultTopic: 'shop',
      topics: { 'legacy.changed': { topic: 'legacy', codec: 'json' } },
      events: [paid, bytes],
    }),
  ],
  controllers: [StockHandlers],
})
export class AppModule {}
