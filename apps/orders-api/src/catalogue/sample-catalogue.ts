/** SKU, name, price in cents, stock. */
export const sampleCatalogue: readonly (readonly [sku: string, name: string, cents: number, stock: number])[] = [
  ['TEA-EARL-100', 'Earl Grey tea, loose leaf, 100 g', 890, 120],
  ['TEA-SENCHA-100', 'Sencha tea, first flush, 100 g', 1_450, 60],
  ['TEA-ROOIBOS-250', 'Rooibos tea, 250 g', 1_120, 80],
  ['COF-YIRG-500', 'Yirgacheffe, whole bean, 500 g', 1_690, 45],
  ['COF-DECAF-250', 'Decaf espresso, 250 g', 990, 30],
  ['POT-GLASS-1L', 'Glass teapot, 1 l', 3_490, 25],
  ['POT-IRON-06', 'Cast-iron teapot, 0.6 l', 5_900, 12],
  ['CUP-STONE-2', 'Stoneware cups, set of two', 2_400, 40],
  ['KET-GOOSE-1L', 'Gooseneck kettle, 1 l', 8_900, 8],
  ['GRI-HAND-40', 'Hand grinder, 40 mm burrs', 11_900, 5],
  ['FIL-PAPER-100', 'Paper filters, 100 pieces', 450, 400],
  ['GIFT-TASTE-6', 'Tasting box, six teas', 2_950, 1],
];
