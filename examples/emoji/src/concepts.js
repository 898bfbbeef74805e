// Which emoji the model learns: those that are still clear at 32 pixels. Names are those of Unicode, as icon sets write them.

const list = (/** @type {string} */ names) => names.trim().split(/\s+/);

/** Kind → names. The kind is the category that the evaluation compares clusters with; no training sees it. */
export const concepts = {
  face: list(`
    grinning-face grinning-face-with-big-eyes grinning-face-with-smiling-eyes beaming-face-with-smiling-eyes
    grinning-squinting-face grinning-face-with-sweat face-with-tears-of-joy rolling-on-the-floor-laughing
    slightly-smiling-face upside-down-face winking-face smiling-face-with-smiling-eyes smiling-face-with-halo
    smiling-face-with-hearts smiling-face-with-heart-eyes star-struck face-blowing-a-kiss kissing-face smiling-face
    face-savoring-food face-with-tongue winking-face-with-tongue money-mouth-face thinking-face zipper-mouth-face
    neutral-face expressionless-face face-without-mouth smirking-face grimacing-face relieved-face pensive-face
    sleeping-face face-with-medical-mask face-with-thermometer face-with-head-bandage nauseated-face hot-face cold-face
    exploding-head cowboy-hat-face partying-face smiling-face-with-sunglasses nerd-face confused-face frowning-face
    face-with-open-mouth astonished-face flushed-face pleading-face crying-face loudly-crying-face
    face-screaming-in-fear tired-face angry-face enraged-face face-with-symbols-on-mouth smiling-face-with-horns
    angry-face-with-horns skull clown-face ghost alien alien-monster robot pile-of-poo sun-with-face full-moon-face`),
  cat: list(`
    grinning-cat grinning-cat-with-smiling-eyes cat-with-tears-of-joy smiling-cat-with-heart-eyes cat-with-wry-smile
    kissing-cat pouting-cat crying-cat weary-cat`),
  heart: list(`
    red-heart orange-heart yellow-heart green-heart blue-heart light-blue-heart purple-heart pink-heart brown-heart
    black-heart white-heart grey-heart broken-heart sparkling-heart heart-with-arrow heart-with-ribbon two-hearts
    heart-on-fire`),
  animal: list(`
    monkey-face dog-face cat-face fox lion tiger-face horse-face unicorn zebra cow-face pig-face mouse-face rabbit-face
    hamster wolf bear panda polar-bear koala frog raccoon gorilla see-no-evil-monkey hear-no-evil-monkey
    speak-no-evil-monkey monkey cat dog pig cow elephant giraffe kangaroo ewe camel hippopotamus rooster chicken
    hatching-chick baby-chick front-facing-baby-chick bird penguin duck swan owl flamingo peacock parrot eagle turtle
    snake dragon-face dragon sauropod t-rex crocodile whale spouting-whale dolphin fish tropical-fish blowfish shark
    octopus crab lobster snail butterfly bug ant honeybee lady-beetle spider`),
  plant: list(`
    cherry-blossom rose hibiscus sunflower tulip blossom bouquet seedling potted-plant evergreen-tree deciduous-tree
    palm-tree cactus herb shamrock four-leaf-clover maple-leaf fallen-leaf mushroom christmas-tree`),
  food: list(`
    grapes melon watermelon tangerine lemon banana pineapple mango red-apple green-apple pear peach cherries strawberry
    kiwi-fruit tomato coconut avocado eggplant potato carrot ear-of-corn hot-pepper cucumber broccoli garlic onion
    bread croissant pretzel pancakes cheese-wedge meat-on-bone hamburger french-fries pizza hot-dog sandwich taco
    cooking egg popcorn rice-ball sushi soft-ice-cream ice-cream doughnut cookie birthday-cake shortcake cupcake
    chocolate-bar lollipop honey-pot glass-of-milk hot-beverage wine-glass cocktail-glass tropical-drink beer-mug`),
  vehicle: list(`
    locomotive bus oncoming-bus ambulance fire-engine police-car oncoming-police-car taxi oncoming-taxi automobile
    oncoming-automobile sport-utility-vehicle delivery-truck tractor racing-car motorcycle bicycle tram metro
    sailboat speedboat ship airplane helicopter rocket flying-saucer vertical-traffic-light stop-sign anchor`),
  weather: list(`
    sun cloud sun-behind-cloud cloud-with-rain cloud-with-snow cloud-with-lightning rainbow umbrella
    umbrella-with-rain-drops high-voltage snowflake snowman fire droplet water-wave star glowing-star crescent-moon
    full-moon first-quarter-moon new-moon-face tornado ringed-planet volcano snow-capped-mountain`),
  shape: list(`
    red-circle orange-circle yellow-circle green-circle blue-circle purple-circle brown-circle black-circle white-circle
    red-square orange-square yellow-square green-square blue-square purple-square brown-square large-orange-diamond
    large-blue-diamond red-triangle-pointed-up red-triangle-pointed-down`),
  thing: list(`
    soccer-ball basketball baseball softball tennis volleyball american-football bowling guitar violin trumpet drum
    musical-keyboard green-book blue-book orange-book closed-book open-book wrapped-gift balloon crown key house castle bell
    light-bulb alarm-clock jack-o-lantern teddy-bear trophy gem-stone eye mouth camera television mobile-phone pencil
    scissors`),
  hand: list(`waving-hand raised-hand thumbs-up thumbs-down raised-fist ok-hand victory-hand clapping-hands`),
};

/** Captions that no training sees. Each word of them occurs in other captions. */
export const heldOut = [
  'purple heart',
  'green apple',
  'orange square',
  'blue book',
  'grinning cat with smiling eyes',
  'thumbs up dark skin tone',
];

/** Hands are drawn in three tones of skin as well. */
export const tones = ['light', 'medium', 'dark'];
